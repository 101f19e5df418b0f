// The state that a tile begins with, given or the product of the lines' own turns; and the gradients that arrive there.
// Included by kernels.cpp only.
#pragma once

template <typename T, bool kInside>
inline void Worker<T, kInside>::start() {
  if (!program_.has_start) {
    load_initial();
  } else if constexpr (kInside) {
    start_inside();
  } else if (member_ == 0) {
    Line<Vector<T>> lines[64];
    for (int q = 0; q < program_.n; ++q) {
      lines[q] = line_of_lanes(q);
    }
    build_product(lines, program_.n, reinterpret_cast<Complex<Vector<T>>*>(state_));
  }
  barrier();
}

template <typename T, bool kInside>
inline Line<T> Worker<T, kInside>::line_of_one(int q) const {
  Line<T> line{{1, 0}, {0, 0}};
  for (int k = program_.start_begins[q]; k < program_.start_begins[q + 1]; ++k) {
    const int slot = program_.start[k].slot;
    turn_line(line, program_.start[k].letter, shared_.cosines[slot], shared_.sines[slot]);
  }
  return line;
}

template <typename T, bool kInside>
inline Line<Vector<T>> Worker<T, kInside>::line_of_lanes(int q) const {
  Line<Vector<T>> line{{all<T>(1), Vector<T>{}}, {}};
  for (int k = program_.start_begins[q]; k < program_.start_begins[q + 1]; ++k) {
    const int slot = program_.start[k].slot;
    turn_line(line, program_.start[k].letter, lane_cosine(slot), lane_sine(slot));
  }
  return line;
}

// The product of the lines that lie inside a vector.
template <typename T, bool kInside>
inline void Worker<T, kInside>::low_product(const Line<T>* lines, Vector<T>& re, Vector<T>& im) const {
  Complex<T> low[lanes];
  build_product(lines + program_.n - lane_bits, lane_bits, low);
  for (int lane = 0; lane < lanes; ++lane) {
    re[lane] = low[lane].re;
    im[lane] = low[lane].im;
  }
}

template <typename T, bool kInside>
inline void Worker<T, kInside>::start_inside() {
  Line<T> lines[64];
  for (int q = 0; q < program_.n; ++q) {
    lines[q] = line_of_one(q);
  }
  if (member_ == 0) {
    build_product(lines, program_.n - lane_bits, shared_.high);
  }
  barrier();
  Vector<T> re, im;
  low_product(lines, re, im);
  std::int64_t from, to;
  share(sizes_.vectors, from, to);
  for (std::int64_t v = from; v < to; ++v) {
    const Complex<T> high = shared_.high[v];
    state_[2 * v] = high.re * re - high.im * im;
    state_[2 * v + 1] = high.re * im + high.im * re;
  }
}

template <typename T, bool kInside>
inline void Worker<T, kInside>::load_initial() {
  const std::int64_t size = std::int64_t{1} << program_.n;
  std::int64_t from, to;
  share(size, from, to);
  for (int lane = 0; lane < n_rows(); ++lane) {
    const int sample = lane < count_ ? lane : count_ - 1;
    const T* amplitudes = call_.initial + group_ * call_.initial_stride + (first_ + sample) * 2 * size;
    for (std::int64_t p = from; p < to; ++p) {
      number(state_, p, lane, 0) = amplitudes[2 * p];
      number(state_, p, lane, 1) = amplitudes[2 * p + 1];
    }
  }
}

template <typename T, bool kInside>
inline void Worker<T, kInside>::undo_start() {
  if (!program_.has_start) {
    store_initial_gradient();
    return;
  }
  if constexpr (kInside) {
    undo_start_inside();
    return;
  }
  if (member_ != 0) {
    return;
  }
  Line<Vector<T>> lines[64], duals[64];
  for (int q = 0; q < program_.n; ++q) {
    lines[q] = line_of_lanes(q);
  }
  divide_product(lines, program_.n, reinterpret_cast<Complex<Vector<T>>*>(shared_.dual),
                 reinterpret_cast<Complex<Vector<T>>*>(state_), duals);
  for (int q = 0; q < program_.n; ++q) {
    for (int k = program_.start_begins[q + 1] - 1; k >= program_.start_begins[q]; --k) {
      const StartTurn& turn = program_.start[k];
      const Vector<T> c = lane_cosine(turn.slot), s = lane_sine(turn.slot);
      lane_gradients_[turn.slot] += line_gradient(lines[q], duals[q], turn.letter);
      turn_line(lines[q], turn.letter, c, -s);
      turn_line(duals[q], turn.letter, c, -s);
    }
  }
}

template <typename T, bool kInside>
inline void Worker<T, kInside>::undo_start_inside() {
  Line<T> lines[64], duals[64];
  for (int q = 0; q < program_.n; ++q) {
    lines[q] = line_of_one(q);
  }
  Vector<T> re, im;
  low_product(lines, re, im);
  if (member_ == 0) {
    build_product(lines, program_.n - lane_bits, shared_.high);
  }
  barrier();
  std::int64_t from, to;
  share(sizes_.vectors, from, to);
  Vector<T> sum_re{}, sum_im{};
  for (std::int64_t v = from; v < to; ++v) {
    const Complex<T> high = shared_.high[v];
    const Vector<T> dual_re = shared_.dual[2 * v], dual_im = shared_.dual[2 * v + 1];
    sum_re += dual_re * high.re + dual_im * high.im;
    sum_im += dual_im * high.re - dual_re * high.im;
    shared_.high_dual[v] = {sum_of_lanes<T>(dual_re * re + dual_im * im), sum_of_lanes<T>(dual_im * re - dual_re * im)};
  }
  shared_.partial[2 * member_] = sum_re;
  shared_.partial[2 * member_ + 1] = sum_im;
  barrier();
  if (member_ != 0) {
    return;
  }
  Complex<T> low_dual[lanes], low_room[lanes + 1];
  for (int lane = 0; lane < lanes; ++lane) {
    low_dual[lane] = {0, 0};
    for (int m = 0; m < team_; ++m) {
      low_dual[lane].re += shared_.partial[2 * m][lane];
      low_dual[lane].im += shared_.partial[2 * m + 1][lane];
    }
  }
  const int n_high = program_.n - lane_bits;
  divide_product(lines + n_high, lane_bits, low_dual, low_room, duals + n_high);
  if (n_high > 0) {
    divide_product(lines, n_high, shared_.high_dual, shared_.high_room, duals);
  }
  for (int q = 0; q < program_.n; ++q) {
    for (int k = program_.start_begins[q + 1] - 1; k >= program_.start_begins[q]; --k) {
      const StartTurn& turn = program_.start[k];
      const T c = shared_.cosines[turn.slot], s = shared_.sines[turn.slot];
      gradients_[turn.slot] += line_gradient(lines[q], duals[q], turn.letter);
      turn_line(lines[q], turn.letter, c, -s);
      turn_line(duals[q], turn.letter, c, -s);
    }
  }
}

template <typename T, bool kInside>
inline void Worker<T, kInside>::store_initial_gradient() {
  if (call_.grad_initial == nullptr) {
    return;
  }
  const std::int64_t size = std::int64_t{1} << program_.n;
  std::int64_t from, to;
  share(size, from, to);
  for (int sample = 0; sample < count_; ++sample) {
    T* gradient = call_.grad_initial + row(sample) * 2 * size;
    for (std::int64_t p = from; p < to; ++p) {
      gradient[2 * p] = 2 * number(shared_.dual, p, sample, 0);
      gradient[2 * p + 1] = 2 * number(shared_.dual, p, sample, 1);
    }
  }
}
