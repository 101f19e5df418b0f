// Product states, in which circuits begin: each line turned by itself. Included by kernels.cpp only.
//
// W is a vector (a lane is a sample) or a number. Lines are qubits, the first the most significant.
#pragma once

template <typename W>
struct Complex {
  W re, im;
};

template <typename W>
inline Complex<W> times(Complex<W> a, Complex<W> b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

template <typename W>
inline Complex<W> times_conjugate(Complex<W> a, Complex<W> b) {
  return {a.re * b.re + a.im * b.im, a.im * b.re - a.re * b.im};
}

template <typename W>
inline void add(Complex<W>& total, Complex<W> one) {
  total.re += one.re;
  total.im += one.im;
}

// One line's two amplitudes.
template <typename W>
struct Line {
  Complex<W> zero, one;
};

// Turn a line by exp(-i angle/2 letter), given cos(angle/2) and sin(angle/2).
template <typename W>
inline void turn_line(Line<W>& line, int letter, W c, W s) {
  const Line<W> old = line;
  switch (letter) {
    case 0:
      line.zero = {c * old.zero.re + s * old.one.im, c * old.zero.im - s * old.one.re};
      line.one = {c * old.one.re + s * old.zero.im, c * old.one.im - s * old.zero.re};
      break;
    case 1:
      line.zero = {c * old.zero.re - s * old.one.re, c * old.zero.im - s * old.one.im};
      line.one = {c * old.one.re + s * old.zero.re, c * old.one.im + s * old.zero.im};
      break;
    default:
      line.zero = {c * old.zero.re + s * old.zero.im, c * old.zero.im - s * old.zero.re};
      line.one = {c * old.one.re - s * old.one.im, c * old.one.im + s * old.one.re};
  }
}

// Re <dual| -i letter |line>: the derivative with respect to a turn's angle.
template <typename W>
inline W line_gradient(const Line<W>& line, const Line<W>& dual, int letter) {
  switch (letter) {
    case 0:
      return dual.zero.re * line.one.im - dual.zero.im * line.one.re + dual.one.re * line.zero.im -
             dual.one.im * line.zero.re;
    case 1:
      return dual.one.re * line.zero.re + dual.one.im * line.zero.im - dual.zero.re * line.one.re -
             dual.zero.im * line.one.im;
    default:
      return dual.zero.re * line.zero.im - dual.zero.im * line.zero.re - dual.one.re * line.one.im +
             dual.one.im * line.one.re;
  }
}

// The product of lines' states, 2^count amplitudes.
template <typename W>
void build_product(const Line<W>* lines, int count, Complex<W>* product) {
  product[0] = {W{} + 1, W{}};
  for (int q = 0; q < count; ++q) {
    for (std::int64_t i = (std::int64_t{1} << q) - 1; i >= 0; --i) {
      const Complex<W> old = product[i];
      product[2 * i + 1] = times(old, lines[q].one);
      product[2 * i] = times(old, lines[q].zero);
    }
  }
}

// The dual of each line's state from the dual of the product, which is overwritten; `room` has its size.
template <typename W>
void divide_product(const Line<W>* lines, int count, Complex<W>* dual, Complex<W>* room, Line<W>* duals) {
  room[0] = {W{}, W{}};
  room[1] = {W{} + 1, W{}};  // the products of the first q lines are at 2^q ... 2^(q + 1) - 1
  for (int q = 0; q + 1 < count; ++q) {
    for (std::int64_t i = std::int64_t{1} << q; i < std::int64_t{2} << q; ++i) {
      room[2 * i] = times(room[i], lines[q].zero);
      room[2 * i + 1] = times(room[i], lines[q].one);
    }
  }
  for (int q = count - 1; q >= 0; --q) {
    Line<W> sum{};
    for (std::int64_t i = 0; i < std::int64_t{1} << q; ++i) {
      const Complex<W> zero = dual[2 * i], one = dual[2 * i + 1], before = room[(std::int64_t{1} << q) + i];
      add(sum.zero, times_conjugate(zero, before));
      add(sum.one, times_conjugate(one, before));
      dual[i] = times_conjugate(zero, lines[q].zero);
      add(dual[i], times_conjugate(one, lines[q].one));
    }
    duals[q] = sum;
  }
}
