// What one thread of this machine can compute at most: the yardstick of the kernels' speed.
#pragma once

namespace replank {

// Fused multiply-adds of one thread in GFLOP/s (two operations each), the best of the blocks of about a millisecond that
// fit into `seconds`: other work on the machine makes a block slower, nothing makes it faster. In single or in double
// precision, with the instruction set in use. Throws std::invalid_argument unless 0 < seconds <= 60.
double fma_peak(bool single, double seconds);

}  // namespace replank
