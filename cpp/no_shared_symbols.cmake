# Fails if a kernels object file shows the linker anything but its table(): why, says kernels.cpp.
# Run with -DNM=... -DOBJECT=... -DISA=...
execute_process(COMMAND "${NM}" --demangle --defined-only --extern-only "${OBJECT}"
  OUTPUT_VARIABLE listing COMMAND_ERROR_IS_FATAL ANY)
string(REGEX REPLACE "[^\n]* T replank::${ISA}::table\\(\\)\n" "" shared "${listing}")
if(shared)
  message(FATAL_ERROR "kernels.cpp (${ISA}): everything but table() must be internal to the file, got\n${shared}"
    "Move it into the unnamed namespace, or do without that part of the standard library.")
endif()
