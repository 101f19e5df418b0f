// A tile's gradients on their way to where they belong. Included by kernels.cpp only.
#pragma once

// Hand a tile's gradients on: those of features to where they belong, all of them to the group's sums. Every member
// of a team has sums of its own; those of features are added one member after the other.
template <typename T, bool kInside>
inline void Worker<T, kInside>::write_gradients() {
  for (int m = 0; m < team_; ++m) {
    if (m == member_) {
      write_own_gradients();
    }
    barrier();
  }
}

template <typename T, bool kInside>
inline void Worker<T, kInside>::write_own_gradients() {
  for (int slot = 0; slot < program_.n_slots; ++slot) {
    totals_[slot] += static_cast<double>(kInside ? gradients_[slot] : sum_of_lanes<T>(lane_gradients_[slot]));
    if (!program_.per_sample[slot]) {
      continue;
    }
    for (std::int64_t k = program_.row_begins[slot]; k < program_.row_begins[slot + 1]; ++k) {
      const std::int64_t source = program_.sources[k];
      for (int sample = 0; source < 0 && sample < count_; ++sample) {
        const T gradient = kInside ? gradients_[slot] : lane_gradients_[slot][sample];
        call_.grad_features[row(sample) * call_.n_features - source - 1] +=
            static_cast<T>(program_.coefficients[k]) * gradient;
      }
    }
  }
}

// After a group's last tile: add the gradients of shared phases, and hand the group's sums to `totals`.
template <typename T, bool kInside>
inline void Worker<T, kInside>::finish_group(double* totals) {
  if (member_ == 0 && sizes_.tabulated) {
    const std::int64_t size = std::int64_t{1} << program_.n;
    T* values = reinterpret_cast<T*>(shared_.state);  // free between tiles
    for (int s = 0, table = 0; s < program_.n_steps; ++s) {
      const Step& step = program_.steps[s];
      if (step.kind != kPhases) {
        continue;
      }
      Vector<T>* turnings = shared_.turnings + table++ * sizes_.vectors;
      if (!uses_table(step)) {
        continue;
      }
      for (std::int64_t v = 0; v < sizes_.vectors; ++v) {
        if (kInside) {
          reinterpret_cast<Vector<T>*>(values)[v] = turnings[v];
        } else {
          values[v] = sum_of_lanes<T>(turnings[v]);
        }
        turnings[v] = Vector<T>{};
      }
      walsh_hadamard(values, program_.n);
      for (int k = step.first; k < step.first + step.count; ++k) {
        const PhaseTerm& term = program_.phases[k];
        if (!program_.per_sample[term.slot]) {
          totals_[term.slot] += static_cast<double>(values[term.z & (size - 1)]);
        }
      }
    }
  }
  for (int slot = 0; slot < program_.n_slots; ++slot) {
    totals[slot] += totals_[slot];
    totals_[slot] = 0;
  }
  group_ = -1;
}

template <typename T, bool kInside>
inline void Worker<T, kInside>::clear() {
  for (int slot = 0; slot < program_.n_slots; ++slot) {
    totals_[slot] = 0;
  }
  if (member_ != 0 || !sizes_.tabulated) {
    return;
  }
  const std::int64_t count = count_diagonal_steps(program_) * sizes_.vectors;
  memset(static_cast<void*>(shared_.turnings), 0, sizeof(Vector<T>) * count);
}
