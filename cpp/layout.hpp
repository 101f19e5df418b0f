// Where the working memory of a tile lies, and how large it is. Included by kernels.cpp only.
#pragma once

// What a team shares, or a lone thread has to itself.
template <typename T, bool kInside>
struct Shared {
  Vector<T>*state, *dual;  // 2 vectors for each position, or for each kLanes positions
  T *angles, *cosines, *sines;          // by slot, of all samples or of the one
  Vector<T>*lane_angles, *lane_cosines, *lane_sines;  // by slot, of the samples in the lanes
  Coefficients<T>* coefficients;        // by rotation
  const Coefficients<T>** pointers;
  Vector<T>* weights;                   // by rotation
  Pass<T>* passes;                      // by group
  PreparedDense<T>* dense;              // by step
  PreparedString<T>* strings;
  T* tables;                            // by step, of shared phases
  Vector<T>* turnings;                  // by step
  Complex<T>*high, *high_dual, *high_room;  // products of the lines outside a vector
  Vector<T>* string_gradients;
  Vector<T>* partial;                   // by thread of the team, for sums over it
  double* totals;                       // by thread of the team and slot
};

template <typename T, bool kInside>
struct Sizes {
  std::int64_t vectors;       // of a state
  std::int64_t saved_tile;    // numbers saved for each tile
  std::int64_t tiles_of_group, tiles;
  bool tabulated;
};

template <typename T, bool kInside>
Sizes<T, kInside> sizes_of(const Program& program, const Call<T>& call) {
  Sizes<T, kInside> sizes;
  const std::int64_t amplitudes = std::int64_t{1} << program.n;
  sizes.vectors = kInside ? amplitudes / kLanes<T> : amplitudes;
  sizes.saved_tile = (program.n_checkpoints + 1) * sizes.vectors * 2 * kLanes<T>;
  sizes.tiles_of_group = kInside ? call.batch : (call.batch + kLanes<T> - 1) / kLanes<T>;
  sizes.tiles = sizes.tiles_of_group * call.n_groups;
  // a cosine, a sine and a sum of gradients for each amplitude and diagonal step
  const std::int64_t table_bytes = count_diagonal_steps(program) * 3 * amplitudes * std::int64_t{sizeof(T)};
  sizes.tabulated = !kInside || table_bytes <= kMostTableBytes;
  return sizes;
}

template <typename T, bool kInside>
void lay_out(const Program& program, const Call<T>& call, bool backwards, int team, Arena& arena, Shared<T,
             kInside>& shared) {
  const Sizes<T, kInside> sizes = sizes_of<T, kInside>(program, call);
  const std::int64_t numbers = std::int64_t{2} << program.n;
  shared.state = arena.take<Vector<T>>(2 * sizes.vectors);
  shared.dual = backwards ? arena.take<Vector<T>>(2 * sizes.vectors) : nullptr;
  shared.angles = arena.take<T>(program.n_slots + kLanes<T>);
  shared.cosines = arena.take<T>(program.n_slots + kLanes<T>);
  shared.sines = arena.take<T>(program.n_slots + kLanes<T>);
  shared.lane_angles = arena.take<Vector<T>>(kInside ? 0 : program.n_slots);
  shared.lane_cosines = arena.take<Vector<T>>(kInside ? 0 : program.n_slots);
  shared.lane_sines = arena.take<Vector<T>>(kInside ? 0 : program.n_slots);
  shared.coefficients = arena.take<Coefficients<T>>(program.n_rotations);
  shared.pointers = arena.take<const Coefficients<T>*>(program.n_rotations);
  shared.weights = arena.take<Vector<T>>(program.n_rotations);
  const Grouping& grouping = backwards ? program.backward : program.forward;
  shared.passes = arena.take<Pass<T>>(grouping.step_begins[program.n_steps]);
  const int n_tables = count_diagonal_steps(program);
  int n_dense = 0;
  for (int s = 0; s < program.n_steps; ++s) {
    n_dense += program.steps[s].kind == kDense;
  }
  shared.dense = arena.take<PreparedDense<T>>(n_dense);
  shared.strings = arena.take<PreparedString<T>>(program.n_strings);
  shared.string_gradients = arena.take<Vector<T>>(program.n_strings);
  shared.tables = arena.take<T>(sizes.tabulated ? n_tables * numbers : 0);
  shared.turnings = arena.take<Vector<T>>(sizes.tabulated && backwards ? n_tables * sizes.vectors : 0);
  const std::int64_t high = kInside ? sizes.vectors : 0;
  shared.high = arena.take<Complex<T>>(high);
  shared.high_dual = arena.take<Complex<T>>(backwards ? high : 0);
  shared.high_room = arena.take<Complex<T>>(backwards ? high + 1 : 0);
  shared.partial = arena.take<Vector<T>>(team * (program.n_strings + 2));
  shared.totals = arena.take<double>(backwards ? team * program.n_slots : 0);
}
