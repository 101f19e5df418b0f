// One thread's work on tiles: a program forwards, and backwards with gradients. Included by kernels.cpp only.
//
// A tile is what is taken through the whole circuit while it stays in the cache: one vector's worth of samples, or one
// sample if amplitudes are in the lanes (kInside). The members of a team work on one tile together, each on a share of
// every loop, with a barrier after each.
#pragma once

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

  // gradients.hpp: after a group's last tile add the gradients of shared phases, and hand the group's sums to `totals`;
  // before the first tile set all sums to 0
  void finish_group(double* totals);
  void clear();

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

  // angles.hpp
  void add_up_angles();
  void add_up_lane_angles();
  void make_coefficients(bool new_group);
  void make_tables();

  Vector<T> lane_cosine(int slot) const {
    return program_.per_sample[slot] ? shared_.lane_cosines[slot] : all<T>(shared_.cosines[slot]);
  }

  Vector<T> lane_sine(int slot) const {
    return program_.per_sample[slot] ? shared_.lane_sines[slot] : all<T>(shared_.sines[slot]);
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

  // start.hpp
  void start();
  Line<T> line_of_one(int q) const;
  Line<Vector<T>> line_of_lanes(int q) const;
  void low_product(const Line<T>* lines, Vector<T>& re, Vector<T>& im) const;
  void start_inside();
  void load_initial();
  void undo_start();
  void undo_start_inside();
  void store_initial_gradient();

  // steps.hpp
  void run(int s, State<T> dual);
  void run_rotations(int s, State<T> dual);
  void run_pass(const Pass<T>& pass, State<T> dual, Vector<T>* gradients, std::int64_t from, std::int64_t to);
  void run_phases(int s, State<T> dual);
  void run_dense(int s, State<T> dual);
  void copy(int checkpoint, std::int64_t tile, bool back);

  void add_gradient(int slot, Vector<T> gradient) {
    if (kInside) {
      gradients_[slot] += sum_of_lanes<T>(gradient);
    } else {
      lane_gradients_[slot] += gradient;
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

  // results.hpp
  void read_out();
  template <typename Visit>
  void for_runs_of_strings(Visit visit) const;
  void read_expectations();
  void seed();

  // gradients.hpp
  void write_gradients();
  void write_own_gradients();

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
