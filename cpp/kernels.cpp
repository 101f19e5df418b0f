// The kernels. This file is compiled once for each instruction set; REPLANK_ISA is its name (avx512, avx2, baseline).
//
// Nothing but table() may be visible outside the object file. Of an inline function or a template's instance the linker
// keeps one copy, whichever flags it was compiled with: if it kept the AVX-512 copy of std::vector::push_back, say, the
// whole module would die of an illegal instruction on an older machine. So everything here lies in the unnamed namespace
// inside the namespace of its instruction set, and of the standard library only types and C functions are used. The
// build checks it (no_shared_symbols.cmake).
#include <stdlib.h>
#include <string.h>

#include "kernels.hpp"

#ifdef _OPENMP
#include <omp.h>
#endif

#define REPLANK_STRING_(text) #text
#define REPLANK_STRING(text) REPLANK_STRING_(text)

namespace replank::REPLANK_ISA {
namespace {

#include "simd.hpp"

#include "rotations.hpp"

#include "dense.hpp"
#include "phases.hpp"
#include "product.hpp"
#include "readout.hpp"

#include "memory.hpp"
#include "layout.hpp"

#include "worker.hpp"

#include "angles.hpp"
#include "gradients.hpp"
#include "results.hpp"
#include "start.hpp"
#include "steps.hpp"

#include "circuit.hpp"

template <typename T>
std::uint64_t fma(std::uint64_t rounds, T* seed) {
  // two pipes with a latency of four cycles need eight chains; with the two constants, ten fit into AVX2's 16 registers
  constexpr int kChains = 10;
  const Vector<T> factor = Vector<T>{} + *seed;
  const Vector<T> step = Vector<T>{} + (1 - *seed);  // each chain tends to 1: no overflow, no slow denormal numbers
  Vector<T> chains[kChains];
  for (int chain = 0; chain < kChains; ++chain) {
    chains[chain] = Vector<T>{} + static_cast<T>(chain);  // equal chains would be computed once
  }
  for (std::uint64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 16
    for (int chain = 0; chain < kChains; ++chain) {
      chains[chain] = chains[chain] * factor + step;
    }
  }
  Vector<T> total{};
  for (int chain = 0; chain < kChains; ++chain) {
    total += chains[chain];
  }
  *seed = 0;
  for (int lane = 0; lane < kLanes<T>; ++lane) {
    *seed += total[lane];
  }
  return rounds * kChains * kLanes<T> * 2;
}

}  // namespace

const KernelTable& table() {
  static constexpr KernelTable kTable{
      REPLANK_STRING(REPLANK_ISA),
      kLanes<float>,
      kLanes<double>,
      fma<float>,
      fma<double>,
      forward<float>,
      forward<double>,
      backward<float>,
      backward<double>,
  };
  return kTable;
}

}  // namespace replank::REPLANK_ISA
