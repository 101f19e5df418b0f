// Bindings, and nothing else. What Python sees is typed in src/replank/circuits/_core.pyi.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#ifdef _OPENMP
#include <omp.h>
#endif

#include <new>
#include <optional>
#include <stdexcept>

#include "dispatch.hpp"
#include "fma_peak.hpp"
#include "program.hpp"

namespace nb = nanobind;

namespace replank {
extern const char* const source_hash;

namespace {

// Contiguous, on the CPU, of exactly this type: nothing is converted on the way in.
template <typename T>
using Array = nb::ndarray<T, nb::c_contig, nb::device::cpu>;
template <typename T>
using Given = std::optional<Array<T>>;

void require(bool holds, const char* what) {
  if (!holds) {
    throw std::invalid_argument(std::string("Program: ") + what);
  }
}

template <typename T>
int lanes(const KernelTable& table) {
  return sizeof(T) == 4 ? table.lanes_f32 : table.lanes_f64;
}

template <typename T>
std::size_t saved_size(const CompiledProgram& program, std::int64_t batch, bool amplitude_lanes) {
  const std::size_t width = lanes<T>(kernels());
  const std::size_t rows = amplitude_lanes ? batch : (batch + width - 1) / width * width;
  return (program.n_checkpoints() + 1) * (std::size_t{2} << program.n()) * rows;
}

// Features (G or 1, B, F), parameters (G or 1, P), initial (G or 1, B, 2^n, 2) or none.
template <typename T>
Call<T> call_of(const CompiledProgram& program, const Array<const T>& features, const Array<const T>& parameters,
                const Given<const T>& initial, int output, bool amplitude_lanes, int threads) {
  require(features.ndim() == 3 && parameters.ndim() == 2, "features have three dimensions, parameters two.");
  require(output >= kExpectations && output <= kState, "the output is 0, 1 or 2.");
  require(initial.has_value() != program.has_start(), "an initial state is needed if, and only if, there is no start.");
  Call<T> call{};
  const auto groups_of = [&](std::size_t groups) {
    call.n_groups = std::max<std::int64_t>(call.n_groups, static_cast<std::int64_t>(groups));
  };
  call.n_groups = 1;
  groups_of(features.shape(0));
  groups_of(parameters.shape(0));
  call.batch = static_cast<std::int64_t>(features.shape(1));
  call.n_features = static_cast<std::int64_t>(features.shape(2));
  call.n_parameters = static_cast<std::int64_t>(parameters.shape(1));
  require(call.n_features > program.largest_feature(), "there are too few features.");
  require(call.n_parameters > program.largest_parameter(), "there are too few parameters.");
  const std::int64_t amplitudes = std::int64_t{2} << program.n();
  if (initial.has_value()) {
    require(initial->ndim() == 4 && static_cast<std::int64_t>(initial->shape(1)) == call.batch &&
                static_cast<std::int64_t>(initial->shape(2) * initial->shape(3)) == amplitudes,
            "an initial state is (groups, batch, 2^n, 2).");
    groups_of(initial->shape(0));
    call.initial = initial->data();
    call.initial_stride = initial->shape(0) == 1 ? 0 : call.batch * amplitudes;
    require(initial->shape(0) == 1 || static_cast<std::int64_t>(initial->shape(0)) == call.n_groups, "groups differ.");
  }
  for (const std::size_t groups : {features.shape(0), parameters.shape(0)}) {
    require(groups == 1 || static_cast<std::int64_t>(groups) == call.n_groups, "groups differ.");
  }
  call.features = features.data();
  call.feature_stride = features.shape(0) == 1 ? 0 : call.batch * call.n_features;
  call.parameters = parameters.data();
  call.parameter_stride = parameters.shape(0) == 1 ? 0 : call.n_parameters;
  call.output = output;
  call.amplitude_lanes = amplitude_lanes;
  call.threads = threads;
  require(!amplitude_lanes || (std::int64_t{1} << program.n()) >= lanes<T>(kernels()), "a vector holds more amplitudes than a state.");
  return call;
}

template <typename T>
std::size_t out_size(const CompiledProgram& program, const Call<T>& call) {
  const std::size_t each = call.output == kExpectations  ? static_cast<std::size_t>(program.n_strings())
                           : call.output == kProbabilities ? std::size_t{1} << program.n()
                                                           : std::size_t{2} << program.n();
  return each * call.n_groups * call.batch;
}

// What is saved is worked on where it lies.
template <typename T>
T* aligned(T* saved) {
  require(reinterpret_cast<std::uintptr_t>(saved) % 64 == 0, "saved: it must begin at a multiple of 64 bytes.");
  return saved;
}

Program view_for(const CompiledProgram& program, bool amplitude_lanes, int width) {
  return program.view(amplitude_lanes ? __builtin_ctz(width) : 0);
}

void finish(int failure) {
  if (failure == kNoMemory) {
    throw std::bad_alloc();
  }
  if (failure == kNotFinite) {
    throw std::overflow_error("Program: an angle is NaN or infinite.");
  }
}

template <typename T>
void forward(const CompiledProgram& program, const Array<const T>& features, const Array<const T>& parameters,
             const Given<const T>& initial, const Array<T>& out, const Given<T>& saved, int output,
             bool amplitude_lanes, int threads) {
  Call<T> call = call_of<T>(program, features, parameters, initial, output, amplitude_lanes, threads);
  require(out.size() == out_size(program, call), "the output has another size.");
  call.out = out.data();
  if (saved.has_value()) {
    require(saved->size() == call.n_groups * saved_size<T>(program, call.batch, amplitude_lanes), "saved: another size.");
    call.saved = aligned(saved->data());
  }
  const nb::gil_scoped_release release;
  const Program view = view_for(program, amplitude_lanes, lanes<T>(kernels()));
  if constexpr (sizeof(T) == 4) {
    finish(kernels().forward_f32(view, call));
  } else {
    finish(kernels().forward_f64(view, call));
  }
}

template <typename T>
void backward(const CompiledProgram& program, const Array<const T>& features, const Array<const T>& parameters,
              const Given<const T>& initial, const Array<const T>& grad_out, const Array<T>& saved,
              const Array<T>& grad_features, const Array<T>& grad_parameters, const Given<T>& grad_initial, int output,
              bool amplitude_lanes, int threads) {
  Call<T> call = call_of<T>(program, features, parameters, initial, output, amplitude_lanes, threads);
  const std::size_t groups = call.n_groups;
  require(grad_out.size() == out_size(program, call), "the output's gradient has another size.");
  require(saved.size() == groups * saved_size<T>(program, call.batch, amplitude_lanes), "saved: another size.");
  require(grad_features.size() == groups * call.batch * call.n_features, "the features' gradient has another size.");
  require(grad_parameters.size() == groups * call.n_parameters, "the parameters' gradient has another size.");
  call.grad_out = grad_out.data();
  call.saved = aligned(saved.data());
  call.grad_features = grad_features.data();
  call.grad_parameters = grad_parameters.data();
  if (grad_initial.has_value()) {
    require(grad_initial->size() == groups * call.batch * (std::size_t{2} << program.n()),
            "the initial state's gradient has another size.");
    call.grad_initial = grad_initial->data();
  }
  const nb::gil_scoped_release release;
  const Program view = view_for(program, amplitude_lanes, lanes<T>(kernels()));
  if constexpr (sizeof(T) == 4) {
    finish(kernels().backward_f32(view, call));
  } else {
    finish(kernels().backward_f64(view, call));
  }
}

template <typename T>
void bind_runs(nb::class_<CompiledProgram>& program) {
  program.def("forward", &forward<T>, nb::arg("features").noconvert(), nb::arg("parameters").noconvert(),
              nb::arg("initial").noconvert().none(), nb::arg("out").noconvert(), nb::arg("saved").noconvert().none(),
              nb::arg("output"), nb::arg("amplitude_lanes"), nb::arg("threads"));
  program.def("backward", &backward<T>, nb::arg("features").noconvert(), nb::arg("parameters").noconvert(),
              nb::arg("initial").noconvert().none(), nb::arg("grad_out").noconvert(), nb::arg("saved").noconvert(),
              nb::arg("grad_features").noconvert(), nb::arg("grad_parameters").noconvert(),
              nb::arg("grad_initial").noconvert().none(), nb::arg("output"), nb::arg("amplitude_lanes"),
              nb::arg("threads"));
}

}  // namespace
}  // namespace replank

NB_MODULE(_core, module) {
  nb::set_leak_warnings(false);  // programs that live until the interpreter ends are no leak
  module.def("isa", [] { return replank::kernels().isa; });
  module.def("available_isas", &replank::available_isas);
  module.def("source_hash", [] { return replank::source_hash; });
  module.def("max_threads", [] {
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 1;
#endif
  });
  module.def("fma_peak", &replank::fma_peak, nb::arg("single"), nb::arg("seconds"),
             nb::call_guard<nb::gil_scoped_release>());
  using replank::CompiledProgram;
  nb::class_<CompiledProgram> program(module, "Program");
  program.def(
      "__init__",
      [](CompiledProgram* self, int n, bool has_start, const replank::Table& start, const replank::Table& steps,
         const replank::Table& rotations, const replank::Table& phases, const replank::Table& dense,
         const std::vector<std::vector<double>>& matrices, const replank::Table& projections,
         const replank::Table& strings, const replank::Row& places, const std::vector<bool>& per_sample,
         const std::vector<double>& constants, const replank::Row& row_begins, const replank::Row& sources,
         const std::vector<double>& coefficients) {
        new (self) CompiledProgram({n, has_start, start, steps, rotations, phases, dense, matrices, projections, strings,
                                    places, per_sample, constants, row_begins, sources, coefficients});
      },
      nb::kw_only(), nb::arg("n"), nb::arg("has_start"), nb::arg("start"), nb::arg("steps"), nb::arg("rotations"),
      nb::arg("phases"), nb::arg("dense"), nb::arg("matrices"), nb::arg("projections"), nb::arg("strings"),
      nb::arg("places"), nb::arg("per_sample"), nb::arg("constants"), nb::arg("row_begins"), nb::arg("sources"),
      nb::arg("coefficients"));
  program.def("saved_size", [](const CompiledProgram& self, std::int64_t batch, bool single, bool amplitude_lanes) {
    return single ? replank::saved_size<float>(self, batch, amplitude_lanes)
                  : replank::saved_size<double>(self, batch, amplitude_lanes);
  });
  replank::bind_runs<float>(program);
  replank::bind_runs<double>(program);
  module.def("lanes", [](bool single) {
    return single ? replank::kernels().lanes_f32 : replank::kernels().lanes_f64;
  });
}
