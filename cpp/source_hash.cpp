// A file of its own, so that a change elsewhere compiles no more again than this and itself.
namespace replank {
extern const char* const source_hash;
const char* const source_hash = REPLANK_SOURCE_HASH;
}  // namespace replank
