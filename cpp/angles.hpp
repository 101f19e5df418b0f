// A tile's angles, and what steps take from them: cosines and sines, coefficients of rotations, tables of phases.
// Included by kernels.cpp only.
#pragma once

// Angles by slot: all of them with amplitudes in the lanes, the shared ones otherwise; and their halves' cosines.
template <typename T, bool kInside>
inline void Worker<T, kInside>::add_up_angles() {
  const T* parameters = call_.parameters + group_ * call_.parameter_stride;
  const T* inputs = features();
  for (int slot = 0; slot < program_.n_slots; ++slot) {
    double angle = program_.constants[slot];
    if (kInside || !program_.per_sample[slot]) {
      for (std::int64_t k = program_.row_begins[slot]; k < program_.row_begins[slot + 1]; ++k) {
        const std::int64_t source = program_.sources[k];
        angle += program_.coefficients[k] * static_cast<double>(source >= 0 ? parameters[source] : inputs[-source - 1]);
      }
    }
    shared_.angles[slot] = static_cast<T>(angle);
    finite_ = finite_ && __builtin_isfinite(shared_.angles[slot]);
  }
  for (int slot = 0; slot < program_.n_slots; slot += lanes) {
    Vector<T> half{}, s, c;
    for (int lane = 0; lane < lanes && slot + lane < program_.n_slots; ++lane) {
      half[lane] = shared_.angles[slot + lane] / 2;
    }
    sine_and_cosine<T>(half, s, c);
    memcpy(shared_.sines + slot, &s, sizeof(s));
    memcpy(shared_.cosines + slot, &c, sizeof(c));
  }
}

template <typename T, bool kInside>
inline void Worker<T, kInside>::add_up_lane_angles() {
  const T* parameters = call_.parameters + group_ * call_.parameter_stride;
  const T* inputs = features();
  for (int slot = 0; slot < program_.n_slots; ++slot) {
    if (!program_.per_sample[slot]) {
      continue;
    }
    Vector<T> angle = all<T>(static_cast<T>(program_.constants[slot]));
    for (std::int64_t k = program_.row_begins[slot]; k < program_.row_begins[slot + 1]; ++k) {
      const std::int64_t source = program_.sources[k];
      const T coefficient = static_cast<T>(program_.coefficients[k]);
      if (source >= 0) {
        angle += coefficient * parameters[source];
        continue;
      }
      Vector<T> values;
      for (int lane = 0; lane < lanes; ++lane) {
        // lanes without a sample repeat the last one, and get no gradient
        const int sample = lane < count_ ? lane : count_ - 1;
        values[lane] = inputs[sample * call_.n_features - source - 1];
      }
      angle += coefficient * values;
    }
    shared_.lane_angles[slot] = angle;
    finite_ = finite_ && __builtin_isfinite(sum_of_lanes<T>(angle - angle));  // 0, or NaN
    sine_and_cosine<T>(angle * T(0.5), shared_.lane_sines[slot], shared_.lane_cosines[slot]);
  }
}

template <typename T, bool kInside>
inline void Worker<T, kInside>::make_coefficients(bool new_group) {
  for (int r = 0; r < program_.n_rotations; ++r) {
    const int slot = program_.rotations[r].slot;
    const bool sampled = program_.per_sample[slot];
    if (!new_group && !sampled) {
      continue;
    }
    Coefficients<T>& made = shared_.coefficients[r];
    const bool in_lanes = !kInside && sampled;
    made.cosine = in_lanes ? shared_.lane_cosines[slot] : all<T>(shared_.cosines[slot]);
    made.sine[0] = (in_lanes ? shared_.lane_sines[slot] : all<T>(shared_.sines[slot])) * shared_.weights[r];
    made.sine[1] = -made.sine[0];
  }
}

template <typename T, bool kInside>
inline void Worker<T, kInside>::make_tables() {
  if (!sizes_.tabulated) {
    return;
  }
  const int bits = block_bits(program_.n);
  const std::int64_t size = std::int64_t{1} << bits;
  std::int64_t from, to;
  share(std::int64_t{1} << (program_.n - bits), from, to);
  for (int s = 0, table = 0; s < program_.n_steps; ++s) {
    if (program_.steps[s].kind != kPhases) {
      continue;
    }
    T* values = shared_.tables + (std::int64_t{2} << program_.n) * table++;
    if (!uses_table(program_.steps[s])) {
      continue;
    }
    for (std::int64_t block = from; block < to; ++block) {
      block_of_angles(program_, program_.steps[s], shared_.angles, true, block, room_);
      cosines_and_sines(room_, size, kInside, values + 2 * block * size);
    }
  }
}
