// Steps of a program, forwards or undone with gradients. Included by kernels.cpp only.
#pragma once

// One step forwards; or undone on the state and its dual, with gradients.
template <typename T, bool kInside>
inline void Worker<T, kInside>::run(int s, State<T> dual) {
  const Step& step = program_.steps[s];
  switch (step.kind) {
    case kRotations:
      run_rotations(s, dual);
      break;
    case kPhases:
      run_phases(s, dual);
      barrier();
      break;
    case kDense:
      run_dense(s, dual);
      barrier();
      break;
    default: {
      std::int64_t from, to;
      share(sizes_.vectors, from, to);
      project<T, kInside>(program_.projections[step.first], dual == nullptr ? state_ : dual, from, to);
      barrier();
    }
  }
}

template <typename T, bool kInside>
inline void Worker<T, kInside>::run_rotations(int s, State<T> dual) {
  const int begin = grouping_.step_begins[s], end = grouping_.step_begins[s + 1];
  for (int i = 0; i < end - begin; ++i) {
    const int g = dual == nullptr ? begin + i : end - 1 - i;
    const Member& first = grouping_.members[grouping_.groups[g].first];
    const Rotation& rotation = program_.rotations[first.rotation];
    Vector<T> gradients[kMostInPass] = {};
    const Pass<T>& pass = shared_.passes[g];
    std::int64_t from, to;
    if (rotation.n_conditions > 0) {
      share(sizes_.vectors, from, to);
      conditional<T, kInside>(rotation, shared_.coefficients[first.rotation], state_, dual, gradients[0], from, to);
    } else {
      share(sizes_.vectors >> pass.dimensions, from, to);
      run_pass(pass, dual, gradients, from, to);
    }
    if (dual != nullptr) {
      for (int k = 0; k < pass.count; ++k) {
        const Rotation& one = program_.rotations[pass.turns[k].rotation];
        // the derivative of a real rotation is minus the overlap with psi_(p^x), of an imaginary one plus
        const Vector<T> weighted = gradients[k] * shared_.weights[pass.turns[k].rotation];
        add_gradient(one.slot, one.imaginary ? weighted : -weighted);
      }
    }
    barrier();
  }
}

template <typename T, bool kInside>
inline void Worker<T, kInside>::run_pass(const Pass<T>& pass, State<T> dual, Vector<T>* gradients, std::int64_t from,
                                         std::int64_t to) {
  if (dual == nullptr) {
    switch (pass.dimensions) {
      case 0: pass_forward<T, kInside, 0>(pass, state_, from, to); break;
      case 1: pass_forward<T, kInside, 1>(pass, state_, from, to); break;
      case 2: pass_forward<T, kInside, 2>(pass, state_, from, to); break;
      default: pass_forward<T, kInside, 3>(pass, state_, from, to);
    }
    return;
  }
  switch (pass.dimensions) {
    case 0: pass_backward<T, kInside, 0>(pass, state_, dual, gradients, from, to); break;
    case 1: pass_backward<T, kInside, 1>(pass, state_, dual, gradients, from, to); break;
    default: pass_backward<T, kInside, 2>(pass, state_, dual, gradients, from, to);
  }
}

template <typename T, bool kInside>
inline void Worker<T, kInside>::run_phases(int s, State<T> dual) {
  const Step& step = program_.steps[s];
  int table = 0;
  for (int before = 0; before < s; ++before) {
    table += program_.steps[before].kind == kPhases;
  }
  std::int64_t from, to;
  if (uses_table(step)) {
    share(sizes_.vectors, from, to);
    Vector<T>* turnings = dual == nullptr ? nullptr : shared_.turnings + table * sizes_.vectors;
    tabulated_phases<T, kInside>(shared_.tables + (std::int64_t{2} << program_.n) * table, state_, dual, turnings,
                                 from, to);
  }
  if constexpr (kInside) {
    if (!uses_table(step)) {
      share(std::int64_t{1} << (program_.n - block_bits(program_.n)), from, to);
      phases_by_blocks<T>(program_, step, shared_.angles, state_, dual, gradients_, room_, from, to);
    }
  } else if (is_sampled(step)) {
    share(sizes_.vectors, from, to);
    sampled_phases<T>(program_, step, shared_.lane_angles, state_, dual, lane_gradients_, from, to);
  }
}

template <typename T, bool kInside>
inline void Worker<T, kInside>::run_dense(int s, State<T> dual) {
  int d = 0;
  for (int before = 0; before < s; ++before) {
    d += program_.steps[before].kind == kDense;
  }
  const Dense& dense = program_.dense[program_.steps[s].first];
  const PreparedDense<T>& prepared = shared_.dense[d];
  std::int64_t from, to;
  share(sizes_.vectors >> prepared.n_pivots, from, to);
  if (dual == nullptr || dense.is_unitary) {
    apply_dense<T, kInside>(prepared, dense.k, state_, from, to);
  }
  if (dual != nullptr) {
    apply_dense<T, kInside>(prepared, dense.k, dual, from, to);
  }
}

template <typename T, bool kInside>
inline void Worker<T, kInside>::copy(int checkpoint, std::int64_t tile, bool back) {
  if (checkpoint < 0 || call_.saved == nullptr) {
    return;
  }
  T *kept = saved(checkpoint, tile), *state = reinterpret_cast<T*>(state_);
  std::int64_t from, to;
  share(numbers(), from, to);
  memcpy((back ? state : kept) + from, (back ? kept : state) + from, sizeof(T) * (to - from));
}
