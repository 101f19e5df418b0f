// A program over a batch, on all threads. Included by kernels.cpp only.
//
// Each thread has tiles of its own. If there are fewer tiles than threads and a tile is large, all threads work on one
// tile together (a team).
#pragma once

constexpr int kTeamBits = 14;  // qubits from which a team is worth its barriers

// Sums by slot, over all threads, handed on to the parameters.
template <typename T>
void write_parameter_gradients(const Program& program, const Call<T>& call, const double* sums, int n_threads) {
  for (std::int64_t group = 0; group < call.n_groups; ++group) {
    for (int slot = 0; slot < program.n_slots; ++slot) {
      double total = 0;
      for (int thread = 0; thread < n_threads; ++thread) {
        total += sums[(thread * call.n_groups + group) * program.n_slots + slot];
      }
      for (std::int64_t k = program.row_begins[slot]; k < program.row_begins[slot + 1]; ++k) {
        if (program.sources[k] >= 0) {
          call.grad_parameters[group * call.n_parameters + program.sources[k]] +=
              static_cast<T>(program.coefficients[k] * total);
        }
      }
    }
  }
}

template <typename T, bool kInside>
int run_program(const Program& program, const Call<T>& call, bool backwards) {
  using Work = Worker<T, kInside>;
  const Sizes<T, kInside> sizes = sizes_of<T, kInside>(program, call);
  if (sizes.tiles == 0) {
    return 0;
  }
  const int wanted = call.threads < 1 ? 1 : call.threads;
  const bool as_team = wanted > 1 && sizes.tiles < wanted && program.n >= kTeamBits;
  const int n_threads = as_team ? wanted : (sizes.tiles < wanted ? static_cast<int>(sizes.tiles) : wanted);
  const int team = as_team ? n_threads : 1;
  double* sums = nullptr;
  if (backwards) {
    sums = static_cast<double*>(calloc(static_cast<std::size_t>(n_threads) * call.n_groups * program.n_slots + 1, 8));
    if (sums == nullptr) {
      return kNoMemory;
    }
  }
  Arena measure{nullptr, 0};
  Shared<T, kInside> common{};
  lay_out<T, kInside>(program, call, backwards, team, measure, common);
  const std::size_t shared_bytes = measure.used, own_bytes = Work::own_bytes(program);
  char* team_memory = nullptr;
  if (as_team) {
    team_memory = thread_memory().at_least(shared_bytes + own_bytes);
    if (team_memory == nullptr) {
      free(sums);
      return kNoMemory;
    }
    Arena arena{team_memory, 0};
    lay_out<T, kInside>(program, call, backwards, team, arena, common);
  }
  int failed = 0;
#pragma omp parallel num_threads(n_threads) if (n_threads > 1)
  {
#ifdef _OPENMP
    const int thread = omp_get_thread_num(), present = omp_get_num_threads();
#else
    const int thread = 0, present = 1;
#endif
    const bool has_team_memory = as_team && thread == 0;
    char* memory = has_team_memory ? team_memory + shared_bytes
                                   : thread_memory().at_least((as_team ? 0 : shared_bytes) + own_bytes);
    if (memory == nullptr) {
#pragma omp atomic write
      failed = kNoMemory;
    }
#pragma omp barrier
    if (!failed) {
      Shared<T, kInside> shared = common;
      if (!as_team) {
        Arena arena{memory, 0};
        lay_out<T, kInside>(program, call, backwards, 1, arena, shared);
        memory += shared_bytes;
      }
      // a team may be smaller than asked for (OMP_THREAD_LIMIT), down to one: what it shares was laid out for more
      Work work(program, call, shared, memory, backwards, as_team ? thread : 0, as_team ? present : 1);
      if (!as_team || thread == 0) {
        work.prepare_program();
      }
      if (backwards) {
        work.clear();
      }
      work.barrier();
      const std::int64_t from = as_team ? 0 : sizes.tiles * thread / present;
      const std::int64_t to = as_team ? sizes.tiles : sizes.tiles * (thread + 1) / present;
      for (std::int64_t tile = from; tile < to; ++tile) {
        if (!backwards) {
          work.forward(tile);
          continue;
        }
        work.backward(tile);
        const std::int64_t group = tile / sizes.tiles_of_group;
        if (tile + 1 == to || (tile + 1) / sizes.tiles_of_group != group) {
          work.finish_group(sums + (thread * call.n_groups + group) * program.n_slots);
          work.barrier();
        }
      }
      if (!work.finite()) {
#pragma omp atomic write
        failed = kNotFinite;
      }
    }
    if (!has_team_memory) {
      thread_memory().shrink();
    }
  }
  if (as_team) {
    thread_memory().shrink();
  }
  if (backwards && !failed) {
    write_parameter_gradients(program, call, sums, n_threads);
  }
  free(sums);
  return failed;
}

template <typename T>
int forward(const Program& program, const Call<T>& call) {
  return call.amplitude_lanes ? run_program<T, true>(program, call, false) : run_program<T, false>(program, call, false);
}

template <typename T>
int backward(const Program& program, const Call<T>& call) {
  return call.amplitude_lanes ? run_program<T, true>(program, call, true) : run_program<T, false>(program, call, true);
}
