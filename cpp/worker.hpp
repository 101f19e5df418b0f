// One thread's work on tiles: a program forwards, and backwards with gradients. Included by kernels.cpp only.
//
// A tile is what is taken through the whole circuit while it stays in the cache: one vector's worth of samples, or one
// sample if amplitudes are in the lanes (kInside). The members of a team work on one tile together, each on a share of
// every loop, with a barrier after each.
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
class Worker {
 public:
  static constexpr int lanes = kLanes<T>;
  static constexpr int lane_bits = kInside ? kLaneBits<T> : 0;

  Worker(const Program& program, const Call<T>& call, const Shared<T, kInside>& shared, char* own, bool backwards,
         int member, int team)
      : program_(program), call_(call), shared_(shared), sizes_(sizes_of<T, kInside>(program, call)),
        grouping_(backwards ? program.backward : program.forward), backwards_(backwards), member_(member), team_(team) {
    Arena arena{own, 0};
    lay_out_own(program, arena, *this);
    totals_ = shared.totals == nullptr ? nullptr : shared.totals + member * program.n_slots;
  }

  static void lay_out_own(const Program& program, Arena& arena, Worker& worker) {
    worker.lane_gradients_ = arena.take<Vector<T>>(program.n_slots);
    worker.gradients_ = arena.take<T>(program.n_slots + 1);
    worker.room_ = arena.take<T>(3 * (std::int64_t{1} << block_bits(program.n)) + 2 * lanes);
  }

  static std::size_t own_bytes(const Program& program) {
    Arena arena{nullptr, 0};
    arena.take<Vector<T>>(program.n_slots);
    arena.take<T>(program.n_slots + 1);
    arena.take<T>(3 * (std::int64_t{1} << block_bits(program.n)) + 2 * lanes);
    return arena.used;
  }

  static void lay_out(const Program& program, const Call<T>& call, bool backwards, int team, Arena& arena,
                      Shared<T, kInside>& shared) {
    const Sizes<T, kInside> sizes = sizes_of<T, kInside>(program, call);
    const std::int64_t numbers = std::int64_t{2} << program.n;
    shared.state = arena.take<Vector<T>>(2 * sizes.vectors);
    shared.dual = backwards ? arena.take<Vector<T>>(2 * sizes.vectors) : nullptr;
    shared.angles = arena.take<T>(program.n_slots + lanes);
    shared.cosines = arena.take<T>(program.n_slots + lanes);
    shared.sines = arena.take<T>(program.n_slots + lanes);
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

  // What does not depend on angles; by one member of the team.
  void prepare_program() {
    for (int r = 0; r < program_.n_rotations; ++r) {
      const Rotation& rotation = program_.rotations[r];
      shared_.weights[r] =
          static_cast<T>(rotation.weight) * lane_signs<T>(rotation.z & ((std::uint64_t{1} << lane_bits) - 1));
      shared_.pointers[r] = shared_.coefficients + r;
    }
    for (int g = 0; g < grouping_.step_begins[program_.n_steps]; ++g) {
      shared_.passes[g] =
          make_pass<T, kInside>(program_, grouping_, grouping_.groups[g], shared_.pointers);
    }
    int d = 0;
    for (int s = 0; s < program_.n_steps; ++s) {
      if (program_.steps[s].kind == kDense) {
        prepare_dense<T, kInside>(program_.dense[program_.steps[s].first], backwards_, shared_.dense[d++]);
      }
    }
    for (int t = 0; t < program_.n_strings; ++t) {
      shared_.strings[t] = prepare_string<T, kInside>(program_.strings[t]);
    }
  }

  void forward(std::int64_t tile) {
    // what the backward pass begins with is made where it is kept
    state_ = call_.saved == nullptr ? shared_.state : reinterpret_cast<State<T>>(saved(program_.n_checkpoints, tile));
    begin(tile);
    start();
    for (int s = 0; s < program_.n_steps; ++s) {
      keep(program_.steps[s].checkpoint, tile);
      run(s, nullptr);
    }
    read_out();
    barrier();
  }

  void backward(std::int64_t tile) {
    begin(tile);
    for (int slot = 0; slot < program_.n_slots; ++slot) {
      lane_gradients_[slot] = Vector<T>{};
      gradients_[slot] = 0;
    }
    state_ = shared_.state;
    restore(program_.n_checkpoints, tile);
    barrier();
    seed();
    barrier();
    for (int s = program_.n_steps - 1; s >= 0; --s) {
      run(s, shared_.dual);
      if (program_.steps[s].checkpoint >= 0) {
        restore(program_.steps[s].checkpoint, tile);
        barrier();
      }
    }
    undo_start();
    write_gradients();
    barrier();
  }

  // After a group's last tile: add the gradients of shared phases, and hand the group's sums to `totals`.
  void finish_group(double* totals) {
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

  void clear() {
    for (int slot = 0; slot < program_.n_slots; ++slot) {
      totals_[slot] = 0;
    }
    if (member_ != 0 || !sizes_.tabulated) {
      return;
    }
    const std::int64_t count = count_diagonal_steps(program_) * sizes_.vectors;
    memset(static_cast<void*>(shared_.turnings), 0, sizeof(Vector<T>) * count);
  }

  // Whether all angles have been numbers so far.
  bool finite() const { return finite_; }

  void barrier() const {
    if (team_ > 1) {
#pragma omp barrier
    }
  }

 private:
  // This member's share of a loop.
  void share(std::int64_t total, std::int64_t& from, std::int64_t& to) const {
    from = total * member_ / team_;
    to = total * (member_ + 1) / team_;
  }

  bool is_sampled(const Step& step) const {
    for (int k = step.first; k < step.first + step.count; ++k) {
      if (program_.per_sample[program_.phases[k].slot]) {
        return true;
      }
    }
    return false;
  }

  bool is_shared(const Step& step) const {
    for (int k = step.first; k < step.first + step.count; ++k) {
      if (!program_.per_sample[program_.phases[k].slot]) {
        return true;
      }
    }
    return false;
  }

  // Whether a diagonal step, or the shared part of it, is tabulated.
  bool uses_table(const Step& step) const {
    return kInside ? sizes_.tabulated && !is_sampled(step) : is_shared(step);
  }

  void begin(std::int64_t tile) {
    const std::int64_t group = tile / sizes_.tiles_of_group;
    first_ = (tile % sizes_.tiles_of_group) * (kInside ? 1 : lanes);
    count_ = kInside ? 1 : (call_.batch - first_ < lanes ? static_cast<int>(call_.batch - first_) : lanes);
    const bool new_group = group != group_;
    group_ = group;
    if (member_ == 0) {
      if (new_group || kInside) {
        add_up_angles();
      }
      if (!kInside) {
        add_up_lane_angles();
      }
      make_coefficients(new_group);
    }
    barrier();
    if (new_group) {
      make_tables();
      barrier();
    }
  }

  const T* features() const { return call_.features + group_ * call_.feature_stride + first_ * call_.n_features; }

  // Angles by slot: all of them with amplitudes in the lanes, the shared ones otherwise; and their halves' cosines.
  void add_up_angles() {
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

  void add_up_lane_angles() {
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

  void make_coefficients(bool new_group) {
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

  void make_tables() {
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

  Line<T> line_of_one(int q) const {
    Line<T> line{{1, 0}, {0, 0}};
    for (int k = program_.start_begins[q]; k < program_.start_begins[q + 1]; ++k) {
      const int slot = program_.start[k].slot;
      turn_line(line, program_.start[k].letter, shared_.cosines[slot], shared_.sines[slot]);
    }
    return line;
  }

  Vector<T> lane_cosine(int slot) const {
    return program_.per_sample[slot] ? shared_.lane_cosines[slot] : all<T>(shared_.cosines[slot]);
  }

  Vector<T> lane_sine(int slot) const {
    return program_.per_sample[slot] ? shared_.lane_sines[slot] : all<T>(shared_.sines[slot]);
  }

  Line<Vector<T>> line_of_lanes(int q) const {
    Line<Vector<T>> line{{all<T>(1), Vector<T>{}}, {}};
    for (int k = program_.start_begins[q]; k < program_.start_begins[q + 1]; ++k) {
      const int slot = program_.start[k].slot;
      turn_line(line, program_.start[k].letter, lane_cosine(slot), lane_sine(slot));
    }
    return line;
  }

  void start() {
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

  // The product of the lines that lie inside a vector.
  void low_product(const Line<T>* lines, Vector<T>& re, Vector<T>& im) const {
    Complex<T> low[lanes];
    build_product(lines + program_.n - lane_bits, lane_bits, low);
    for (int lane = 0; lane < lanes; ++lane) {
      re[lane] = low[lane].re;
      im[lane] = low[lane].im;
    }
  }

  void start_inside() {
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

  void undo_start() {
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

  void undo_start_inside() {
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

  // One number of a state: real part at 0, imaginary at 1.
  T& number(State<T> state, std::uint64_t position, int sample, int part) const {
    T* numbers = reinterpret_cast<T*>(state);
    const std::uint64_t v = kInside ? position / lanes : position;
    const std::uint64_t lane = kInside ? position % lanes : static_cast<std::uint64_t>(sample);
    return numbers[(2 * v + part) * lanes + lane];
  }

  std::int64_t row(int sample) const { return group_ * call_.batch + first_ + sample; }

  // Samples in the lanes of this tile, with those that repeat the last one.
  int n_rows() const { return kInside ? 1 : lanes; }

  void load_initial() {
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

  void store_initial_gradient() {
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

  // One step forwards; or undone on the state and its dual, with gradients.
  void run(int s, State<T> dual) {
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

  void run_rotations(int s, State<T> dual) {
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

  void run_pass(const Pass<T>& pass, State<T> dual, Vector<T>* gradients, std::int64_t from, std::int64_t to) {
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

  void add_gradient(int slot, Vector<T> gradient) {
    if (kInside) {
      gradients_[slot] += sum_of_lanes<T>(gradient);
    } else {
      lane_gradients_[slot] += gradient;
    }
  }

  void run_phases(int s, State<T> dual) {
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

  void run_dense(int s, State<T> dual) {
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

  // Copy the state to, or from, what is saved of a tile.
  void keep(int checkpoint, std::int64_t tile) { copy(checkpoint, tile, false); }
  void restore(int checkpoint, std::int64_t tile) { copy(checkpoint, tile, true); }

  T* saved(int checkpoint, std::int64_t tile) const {
    return call_.saved + tile * sizes_.saved_tile + checkpoint * numbers();
  }

  // Real numbers in a state of this layout.
  std::int64_t numbers() const { return sizes_.vectors * 2 * lanes; }

  void copy(int checkpoint, std::int64_t tile, bool back) {
    if (checkpoint < 0 || call_.saved == nullptr) {
      return;
    }
    T *kept = saved(checkpoint, tile), *state = reinterpret_cast<T*>(state_);
    std::int64_t from, to;
    share(numbers(), from, to);
    memcpy((back ? state : kept) + from, (back ? kept : state) + from, sizeof(T) * (to - from));
  }

  void read_out() {
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
  template <typename Visit>
  void for_runs_of_strings(Visit visit) const {
    for (int t = 0; t < program_.n_strings;) {
      int count = 0;
      while (count < kAtOnce && t + count < program_.n_strings && program_.strings[t + count].x == 0) {
        ++count;
      }
      visit(t, count);
      t += count > 0 ? count : 1;
    }
  }

  void read_expectations() {
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

  void seed() {
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

  // Hand a tile's gradients on: those of features to where they belong, all of them to the group's sums. Every member
  // of a team has sums of its own; those of features are added one member after the other.
  void write_gradients() {
    for (int m = 0; m < team_; ++m) {
      if (m == member_) {
        write_own_gradients();
      }
      barrier();
    }
  }

  void write_own_gradients() {
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

  const Program& program_;
  const Call<T>& call_;
  const Shared<T, kInside> shared_;
  const Sizes<T, kInside> sizes_;
  const Grouping& grouping_;
  const bool backwards_;
  const int member_, team_;
  State<T> state_ = nullptr;  // of the tile at work
  Vector<T>* lane_gradients_;
  T* gradients_;
  T* room_;
  double* totals_;
  std::int64_t group_ = -1, first_ = 0;
  int count_ = 0;
  bool finite_ = true;
};
