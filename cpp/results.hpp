// What is wanted of a tile's final state, and the dual state that the gradients of these results make. Included by
// kernels.cpp only.
#pragma once

template <typename T, bool kInside>
inline void Worker<T, kInside>::read_out() {
  if (call_.output == kExpectations) {
    read_expectations();
    return;
  }
  const std::int64_t size = std::int64_t{1} << program_.n;
  std::int64_t from, to;
  share(size, from, to);
  for (int sample = 0; sample < count_; ++sample) {
    T* out = call_.out + row(sample) * size * (call_.output == kState ? 2 : 1);
    for_each_state(program_, from, to, [&](std::uint64_t index, std::uint64_t position) {
      const T re = number(state_, position, sample, 0), im = number(state_, position, sample, 1);
      if (call_.output == kState) {
        out[2 * index] = re;
        out[2 * index + 1] = im;
      } else {
        out[index] = re * re + im * im;
      }
    });
  }
}

// Calls visit(first, count) for runs of strings of Z that are done in one go, visit(string, 0) for others.
template <typename T, bool kInside>
template <typename Visit>
inline void Worker<T, kInside>::for_runs_of_strings(Visit visit) const {
  for (int t = 0; t < program_.n_strings;) {
    int count = 0;
    while (count < kAtOnce && t + count < program_.n_strings && program_.strings[t + count].x == 0) {
      ++count;
    }
    visit(t, count);
    t += count > 0 ? count : 1;
  }
}

template <typename T, bool kInside>
inline void Worker<T, kInside>::read_expectations() {
  std::int64_t from, to;
  share(sizes_.vectors, from, to);
  Vector<T>* values = shared_.partial + member_ * program_.n_strings;
  for_runs_of_strings([&](int t, int count) {
    if (count > 0) {
      expect_diagonal<T>(shared_.strings + t, count, state_, values + t, from, to);
    } else {
      values[t] = expect<T, kInside>(shared_.strings[t], state_, from, to);
    }
  });
  barrier();
  if (member_ != 0) {
    return;
  }
  for (int t = 0; t < program_.n_strings; ++t) {
    Vector<T> value = shared_.partial[t];
    for (int m = 1; m < team_; ++m) {
      value += shared_.partial[m * program_.n_strings + t];
    }
    if (kInside) {
      call_.out[row(0) * program_.n_strings + t] = sum_of_lanes<T>(value);
      continue;
    }
    for (int sample = 0; sample < count_; ++sample) {
      call_.out[row(sample) * program_.n_strings + t] = value[sample];
    }
  }
}

template <typename T, bool kInside>
inline void Worker<T, kInside>::seed() {
  std::int64_t from, to;
  if (call_.output == kExpectations) {
    if (member_ == 0) {
      for (int t = 0; t < program_.n_strings; ++t) {
        Vector<T> gradient{};
        for (int lane = 0; lane < lanes; ++lane) {
          const int sample = kInside ? 0 : lane;
          gradient[lane] = sample < count_ ? call_.grad_out[row(sample) * program_.n_strings + t] : T(0);
        }
        shared_.string_gradients[t] = gradient * shared_.strings[t].weight;
      }
    }
    barrier();
    share(sizes_.vectors, from, to);
    memset(static_cast<void*>(shared_.dual + 2 * from), 0, sizeof(Vector<T>) * 2 * (to - from));
    for_runs_of_strings([&](int t, int count) {
      if (count > 0) {
        seed_diagonal<T>(shared_.strings + t, count, shared_.string_gradients + t, state_, shared_.dual, from, to);
      } else {
        seed_string<T, kInside>(shared_.strings[t], shared_.string_gradients[t], state_, shared_.dual, from, to);
      }
    });
    return;
  }
  const std::int64_t size = std::int64_t{1} << program_.n;
  share(size, from, to);
  for (int lane = 0; lane < n_rows(); ++lane) {
    const T* gradient =
        lane < count_ ? call_.grad_out + row(lane) * size * (call_.output == kState ? 2 : 1) : nullptr;
    for_each_state(program_, from, to, [&](std::uint64_t index, std::uint64_t position) {
      T re = 0, im = 0;
      if (gradient != nullptr && call_.output == kState) {
        re = gradient[2 * index] / 2;
        im = gradient[2 * index + 1] / 2;
      } else if (gradient != nullptr) {
        re = gradient[index] * number(state_, position, lane, 0);
        im = gradient[index] * number(state_, position, lane, 1);
      }
      number(shared_.dual, position, lane, 0) = re;
      number(shared_.dual, position, lane, 1) = im;
    });
  }
}
