#include "fma_peak.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "dispatch.hpp"

namespace replank {
namespace {

constexpr std::uint64_t kRounds = 500'000;  // 0.7 ms at 3.7 GHz

template <typename T>
double best_block(std::uint64_t (*fma)(std::uint64_t, T*), double seconds) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  Clock::time_point from = start;
  double best = 0;
  do {
    T seed = static_cast<T>(0.999);
    const auto operations = static_cast<double>(fma(kRounds, &seed));
    const Clock::time_point to = Clock::now();
    best = std::max(best, operations / std::chrono::duration<double, std::nano>(to - from).count());
    from = to;
  } while (std::chrono::duration<double>(from - start).count() < seconds);
  return best;
}

}  // namespace

double fma_peak(bool single, double seconds) {
  if (!(seconds > 0 && seconds <= 60)) {
    throw std::invalid_argument("fma_peak: `seconds` must be above 0 and at most 60, got seconds=" +
                                std::to_string(seconds) + ". 0.1 is enough on an idle machine.");
  }
  return single ? best_block(kernels().fma_f32, seconds) : best_block(kernels().fma_f64, seconds);
}

}  // namespace replank
