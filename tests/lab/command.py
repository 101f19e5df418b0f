"""Runs the fake study from a command line: ``command.py LEDGER WORKERS SEEDS SECONDS``, with leases of two seconds."""

from __future__ import annotations

import json
import sys


def main(ledger: str, workers: str, seeds: str, seconds: str) -> None:
    # imported here, since workers import this module too and need none of it
    from replank.lab.executors import InProcess, ProcessPool
    from replank.lab.ledger import Ledger
    from replank.lab.run import RunInterrupted, run_study

    try:
        run = run_study(
            "fake_study:STUDY",
            scale="smoke",
            arms=["steady", "worse"],
            seeds=int(seeds),
            overrides={"seconds": seconds},
            ledger=Ledger(ledger, lease_s=2.0),
            executor=ProcessPool(int(workers)) if int(workers) else InProcess(),
            on_event=lambda event: print(event.kind, event.key, flush=True),
        )
    except RunInterrupted as stopped:
        print(stopped, flush=True)
        sys.exit(130)
    losses = run.records.table[["arm", "seed", "train_loss"]].to_numpy().tolist()
    print(json.dumps({"done": run.done, "reused": run.reused, "failed": run.failed, "losses": losses}))


if __name__ == "__main__":
    main(*sys.argv[1:])
