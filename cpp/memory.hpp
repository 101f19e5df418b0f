// Working memory that a thread keeps between calls. Included by kernels.cpp only.
#pragma once

constexpr std::size_t kKeptBytes = std::size_t{32} << 20;  // more than that is given back at the end of a call

// Working memory of a thread.
struct Memory {
  char* start = nullptr;
  std::size_t size = 0;
  ~Memory() { free(start); }

  char* at_least(std::size_t bytes) {
    if (bytes > size) {
      free(start);
      const std::size_t rounded = (bytes + 4095) / 4096 * 4096;
      start = static_cast<char*>(aligned_alloc(4096, rounded));
      size = start == nullptr ? 0 : rounded;
    }
    return start;
  }

  void shrink() {
    if (size > kKeptBytes) {
      free(start);
      start = nullptr;
      size = 0;
    }
  }
};

inline Memory& thread_memory() {
  static thread_local Memory memory;
  return memory;
}

// Hands out pieces of a block, or counts how much they would take.
struct Arena {
  char* next;
  std::size_t used;

  template <typename Item>
  Item* take(std::int64_t count) {
    const std::size_t bytes = (sizeof(Item) * static_cast<std::size_t>(count) + 63) / 64 * 64;
    char* piece = next == nullptr ? nullptr : next + used;
    used += bytes;
    return reinterpret_cast<Item*>(piece);
  }
};
