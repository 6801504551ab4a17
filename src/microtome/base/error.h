// What every layer returns when something goes wrong.
//
// `Errc` says what the caller can do about it; the message says what was found, what was expected and where.
// Layers add what they know on the way up (`with_prefix`, `with_place`) and never drop what was said below.
// Nothing here prints. Thread-safe as any value type is.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace microtome {

enum class Errc : uint8_t {
  not_found,         ///< No such file.
  io,                ///< The operating system failed to read; the file changed under us.
  corrupt,           ///< The bytes break the format's rules.
  unsupported,       ///< The bytes may be fine; we do not decode them. The message names the feature.
  out_of_range,      ///< An index (level, tile, slide) that does not exist.
  invalid_argument,  ///< A value no file could make right (negative size, odd number of coordinates).
  out_of_memory,     ///< An allocation failed or passed a stated limit.
  unavailable,       ///< A device or library that this machine does not have.
  cancelled,         ///< The caller asked to stop, or the process forked under a running read.
  internal,          ///< A bug of ours.
};

/// The code's name as it stands before the message: "corrupt", "out of memory".
std::string_view errc_name(Errc code) noexcept;

struct [[nodiscard]] Error {
  Errc code = Errc::internal;
  std::string message;

  /// "jpeg" turns "premature end" into "jpeg: premature end".
  Error with_prefix(std::string_view who) &&;

  /// "tile 3,4 level 0" turns "premature end" into "premature end (tile 3,4 level 0)". Called once, by the
  /// layer that knows the place.
  Error with_place(std::string_view where) &&;

  /// "corrupt: jpeg: premature end (tile 3,4 level 0)".
  std::string to_string() const;
};

/// The same error as an exception, for callers who prefer one; thrown only by `Result::value()`.
class Exception : public std::exception {
 public:
  explicit Exception(Error error) : error_(std::move(error)), what_(error_.to_string()) {}
  const char* what() const noexcept override { return what_.c_str(); }
  const Error& error() const noexcept { return error_; }

 private:
  Error error_;
  std::string what_;
};

/// A value or an error. Test it, then take `*result` or `result.error()`.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit by design
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit by design

  bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  T& operator*() & noexcept { return *std::get_if<0>(&state_); }
  const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
  T&& operator*() && noexcept { return std::move(*std::get_if<0>(&state_)); }
  T* operator->() noexcept { return std::get_if<0>(&state_); }
  const T* operator->() const noexcept { return std::get_if<0>(&state_); }

  Error& error() & noexcept { return *std::get_if<1>(&state_); }
  const Error& error() const& noexcept { return *std::get_if<1>(&state_); }
  Error&& error() && noexcept { return std::move(*std::get_if<1>(&state_)); }

  /// The value, or throws microtome::Exception.
  T value() && {
    if (!ok()) throw Exception(std::move(*this).error());
    return *std::move(*this);
  }

 private:
  std::variant<T, Error> state_;
};

/// Success or an error. `Status{}` and `ok_status()` are success.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), failed_(true) {}  // NOLINT: implicit by design

  bool ok() const noexcept { return !failed_; }
  explicit operator bool() const noexcept { return ok(); }

  Error& error() & noexcept { return error_; }
  const Error& error() const& noexcept { return error_; }
  Error&& error() && noexcept { return std::move(error_); }

  void value() && {
    if (failed_) throw Exception(std::move(error_));
  }

 private:
  Error error_;
  bool failed_ = false;
};

using Status = Result<void>;
inline Status ok_status() {
  return {};
}

// One constructor per code, so that call sites read as sentences: return corrupt("tiff: {} tiles, expected
// {}", a, b). Defined through fmt in fail.h, to keep fmt out of every header.

}  // namespace microtome

/// Returns the error of `expr` (a Status or Result) from the calling function, if it has one.
#define MICROTOME_TRY(expr)                                        \
  do {                                                             \
    if (auto try_result_ = (expr); !try_result_.ok()) [[unlikely]] \
      return std::move(try_result_).error();                       \
  } while (0)

#define MICROTOME_CONCAT_(a, b) a##b
#define MICROTOME_CONCAT(a, b) MICROTOME_CONCAT_(a, b)

/// MICROTOME_ASSIGN(auto x, f()): x is f()'s value, or the calling function returns f()'s error.
#define MICROTOME_ASSIGN(declaration, expr) \
  MICROTOME_ASSIGN_(MICROTOME_CONCAT(assign_result_, __LINE__), declaration, expr)
#define MICROTOME_ASSIGN_(result, declaration, expr) \
  auto result = (expr);                              \
  if (!result.ok()) [[unlikely]]                     \
    return std::move(result).error();                \
  declaration = *std::move(result)
