#include "microtome/codec/jpeg2000/progression.h"

#include <algorithm>
#include <tuple>

namespace microtome::jpeg2000 {
namespace {

// B.12.1. The loops there visit each precinct where it begins on the grid: sorted by what they loop over.
void sort_for(Progression order, std::vector<Place>& places) {
  const auto sort_by = [&places](const auto& key) {
    std::sort(places.begin(), places.end(),
              [&key](const Place& a, const Place& b) { return key(a) < key(b); });
  };
  switch (order) {
    case Progression::lrcp:
    case Progression::rlcp:
      return sort_by([](const Place& p) { return std::tuple(p.resolution, p.component, p.number); });
    case Progression::rpcl:
      return sort_by([](const Place& p) { return std::tuple(p.resolution, p.y, p.x, p.component); });
    case Progression::pcrl:
      return sort_by([](const Place& p) { return std::tuple(p.y, p.x, p.component, p.resolution); });
    case Progression::cprl:
      return sort_by([](const Place& p) { return std::tuple(p.component, p.y, p.x, p.resolution); });
  }
}

// Where components differ by a factor of 3 in their sampling, precincts of one may begin between the places
// that the library's loops over positions visit, which are multiples of the narrowest precinct; it passes
// over them.
bool all_positions_are_visited(const Coding& coding) {
  for (const bool down : {false, true}) {
    std::vector<uint64_t> steps;
    for (size_t c = 0; c < coding.components; ++c) {
      const ComponentCoding& component = coding.component[c];
      for (int r = 0; r <= component.levels; ++r) {
        const PrecinctSize& size = component.precincts[static_cast<size_t>(r)];
        steps.push_back(uint64_t{down ? component.dy : component.dx}
                        << ((down ? size.h : size.w) + component.levels - r));
      }
    }
    const uint64_t least = *std::min_element(steps.begin(), steps.end());
    if (std::any_of(steps.begin(), steps.end(), [least](uint64_t step) { return step % least != 0; }))
      return false;
  }
  return true;
}

// One part of the progression. Layers of a precinct come in order, whatever the part.
class PartOrder {
 public:
  PartOrder(const ProgressionPart& part, const Coding& coding, std::vector<Place>& places,
            std::vector<Packet>& packets)
      : part_(part),
        end_layer_(std::min(part.end_layer, coding.layers)),
        places_(places),
        packets_(packets) {}

  void add() {
    sort_for(part_.order, places_);
    switch (part_.order) {
      case Progression::lrcp:
        for (uint32_t layer = 0; layer < end_layer_; ++layer) {
          for (Place& place : places_) add_layer(place, layer);
        }
        break;
      case Progression::rlcp:
        for (auto first = places_.begin(); first != places_.end();) {
          const auto end = std::find_if(
              first, places_.end(), [&first](const Place& p) { return p.resolution != first->resolution; });
          for (uint32_t layer = 0; layer < end_layer_; ++layer) {
            for (auto place = first; place != end; ++place) add_layer(*place, layer);
          }
          first = end;
        }
        break;
      default:
        for (Place& place : places_) {
          for (uint32_t layer = 0; layer < end_layer_; ++layer) add_layer(place, layer);
        }
    }
  }

 private:
  // Of packets that an earlier part had there is no second.
  void add_layer(Place& place, uint32_t layer) {
    const bool has = place.resolution >= part_.first_resolution && place.resolution < part_.end_resolution &&
                     place.component >= part_.first_component && place.component < part_.end_component;
    if (!has || layer < place.layers) return;
    packets_.push_back({place.precinct, static_cast<uint16_t>(layer)});
    place.layers = layer + 1;
  }

  const ProgressionPart& part_;
  uint32_t end_layer_;
  std::vector<Place>& places_;
  std::vector<Packet>& packets_;
};

}  // namespace

bool order_packets(const Coding& coding, std::vector<Place>& places, std::vector<Packet>& packets) {
  for (const ProgressionPart& part : coding.progression) {
    const bool by_position = part.order == Progression::rpcl || part.order == Progression::pcrl;
    if (by_position && !all_positions_are_visited(coding)) return false;
    PartOrder(part, coding, places, packets).add();
  }
  return std::all_of(places.begin(), places.end(),
                     [&coding](const Place& place) { return place.layers == coding.layers; });
}

}  // namespace microtome::jpeg2000
