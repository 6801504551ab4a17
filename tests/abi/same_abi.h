// Whether a declaration of ours is the one in NVIDIA's header, but for the names of types.
//
// Each type of ours that stands for one of theirs is registered with MICROTOME_COUNTERPART. A signature is
// translated by these and must then be theirs exactly: constness, enumerations and handles included, which a
// comparison of sizes would not tell apart. For tests/abi alone.
#pragma once

#include <type_traits>

namespace microtome::abi {

template <class Ours>
struct Counterpart {
  static_assert(!std::is_enum_v<Ours> && !std::is_class_v<Ours>, "a type of ours without a counterpart");
  using Type = Ours;
};
template <class T>
struct Counterpart<const T> {
  using Type = const typename Counterpart<T>::Type;
};
template <class T>
struct Counterpart<T*> {
  using Type = typename Counterpart<T>::Type*;
};
template <class R, class... P>
struct Counterpart<R (*)(P...)> {
  using Type = typename Counterpart<R>::Type (*)(typename Counterpart<P>::Type...);
};

template <class Ours, class Theirs>
inline constexpr bool kSame = std::is_same_v<typename Counterpart<Ours>::Type, Theirs>;

/// A value of an enumeration: the same number, in a type of the same size and sign.
template <class Ours, class Theirs>
constexpr bool same_value(Ours ours, Theirs theirs) {
  using A = std::underlying_type_t<Ours>;
  using B = std::underlying_type_t<Theirs>;
  return std::is_same_v<A, B> && static_cast<long long>(ours) == static_cast<long long>(theirs);
}

}  // namespace microtome::abi

#define MICROTOME_COUNTERPART(ours, theirs)  \
  template <>                                \
  struct microtome::abi::Counterpart<ours> { \
    using Type = theirs;                     \
  }

/// For the lists of functions.
#define MICROTOME_SAME_FUNCTION(need, name, result, parameters) \
  static_assert(microtome::abi::kSame<result(*) parameters, decltype(&::name)>, #name);

/// A member: the same place and size; what it is of has been compared as a whole.
#define MICROTOME_SAME_MEMBER(ours, member, theirs, their_member)                                         \
  static_assert(offsetof(ours, member) == offsetof(theirs, their_member) &&                               \
                    sizeof(std::declval<ours&>().member) == sizeof(std::declval<theirs&>().their_member), \
                #ours "." #member)
#define MICROTOME_SAME_STRUCT(ours, theirs) \
  static_assert(sizeof(ours) == sizeof(theirs) && alignof(ours) == alignof(theirs), #ours)
#define MICROTOME_SAME_VALUE(ours, theirs) static_assert(microtome::abi::same_value(ours, theirs), #theirs)
