// Arithmetic on numbers that come from a file: every sum and product of them goes through here before it
// sizes an allocation or an index.
#pragma once

#include <concepts>
#include <limits>
#include <optional>
#include <utility>

namespace microtome {

/// a + b, or nothing where the type cannot hold it.
template <std::integral T>
std::optional<T> checked_add(T a, T b) noexcept {
  T sum;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

template <std::integral T>
std::optional<T> checked_sub(T a, T b) noexcept {
  T difference;
  if (__builtin_sub_overflow(a, b, &difference)) return std::nullopt;
  return difference;
}

template <std::integral T>
std::optional<T> checked_mul(T a, T b) noexcept {
  T product;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

/// a * b * c * …
template <std::integral T, std::same_as<T>... Rest>
std::optional<T> checked_mul(T a, T b, Rest... rest) noexcept {
  const auto product = checked_mul(a, b);
  if (!product) return std::nullopt;
  return checked_mul(*product, rest...);
}

/// `value` as a `To`, or nothing where it does not fit.
template <std::integral To, std::integral From>
std::optional<To> checked_cast(From value) noexcept {
  if (!std::in_range<To>(value)) return std::nullopt;
  return static_cast<To>(value);
}

/// ceil(a / b) for a >= 0, b > 0, without overflow.
template <std::integral T>
constexpr T ceil_div(T a, T b) noexcept {
  return static_cast<T>(a / b + (a % b != 0));
}

}  // namespace microtome
