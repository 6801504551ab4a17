/* Microtome's C API: slides, their levels and properties, regions, and batches of patches.
 *
 *     microtome_error error;
 *     microtome_slide* slide = NULL;
 *     if (microtome_open("slide.svs", &slide, &error) != MICROTOME_OK) {
 *       fprintf(stderr, "%s\n", error.message);
 *       return 1;
 *     }
 *
 * Coordinates are x, y and w, h in pixels; samples are interleaved, rows go from top to bottom. A location
 * is in level-0 pixels unless its name says otherwise, and maps to the level's nearest pixel, per axis, in
 * exact integer arithmetic (halves up), so that grids of adjacent regions join at every level.
 *
 * Errors    A function that can fail returns a microtome_status and, if `error` is not NULL, fills it; a
 *           failing call leaves what its other pointers point to alone unless it says otherwise. No
 *           exception and no signal crosses this boundary, nothing is printed, and nothing ends the process.
 * Options   Structs of options work when zeroed, and NULL stands for that: zero is each member's usual value.
 * Threads   Any function may be called from any thread, and threads may share a slide, which never changes.
 *           A loader serves one thread at a time. What is closed or freed must not be in use, nor be used
 *           again. After fork() slides and loaders work in the child too.
 * Ownership Strings and pixels belong to the object they are asked of, and live as long as it. A slide may
 *           be closed while loaders made from it live, a loader while its batches do.
 * ABI       What is here does not change its meaning or layout while MICROTOME_ABI_VERSION stays; functions
 *           may be added, and `reserved` members, which callers leave zero, be given a meaning.
 */
#ifndef MICROTOME_MICROTOME_H
#define MICROTOME_MICROTOME_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define MICROTOME_API __attribute__((visibility("default")))
#else
#define MICROTOME_API
#endif

/** The version of this binary interface, the number in the shared library's name (libmicrotome.so.1). */
#define MICROTOME_ABI_VERSION 1

/** MICROTOME_ABI_VERSION of the library that the program runs with. */
MICROTOME_API int32_t microtome_abi_version(void);

/** The version of Microtome that the program runs with, "0.1.0". */
MICROTOME_API const char* microtome_version(void);

/* ---- Errors ---- */

/** What a caller can do about a failure. */
typedef enum microtome_status {
  MICROTOME_OK = 0,               /**< The call did what it should. */
  MICROTOME_NOT_FOUND = 1,        /**< No such file, property or associated image. */
  MICROTOME_IO = 2,               /**< The system failed to read, or the file changed since it was opened. */
  MICROTOME_CORRUPT = 3,          /**< The file's bytes break its format's rules. */
  MICROTOME_UNSUPPORTED = 4,      /**< The file may be fine; Microtome does not read what it has. */
  MICROTOME_OUT_OF_RANGE = 5,     /**< A level, slide or other number that does not exist. */
  MICROTOME_INVALID_ARGUMENT = 6, /**< A value that no file could make right: NULL, a size < 0. */
  MICROTOME_OUT_OF_MEMORY = 7,    /**< An allocation failed. */
  MICROTOME_UNAVAILABLE = 8,      /**< The machine gave no thread, or lacks a device or library. */
  MICROTOME_CANCELLED = 9,        /**< The process forked under the call. */
  MICROTOME_INTERNAL = 10         /**< A bug in Microtome. */
} microtome_status;

/** Why a call failed. Lives where the caller puts it; needs no freeing. */
typedef struct microtome_error {
  int32_t status;     /**< A microtome_status. */
  char message[1020]; /**< What was found, expected and where; UTF-8, cut at a whole character. */
} microtome_error;

/** The status's name: "corrupt", "out of memory"; "unknown" for a number that is none. */
MICROTOME_API const char* microtome_status_name(int32_t status);

/* ---- Slides ---- */

/** An open slide. */
typedef struct microtome_slide microtome_slide;

/** Opens the slide in a file; the content decides what it is, never the name.
 *
 * `path`   as the system takes it.
 * `slide`  gets the slide; close it with microtome_close.
 * Errors   NOT_FOUND, IO (the system's reason), INVALID_ARGUMENT (a directory, NULL), UNSUPPORTED (no format
 *          that is known), CORRUPT.
 */
MICROTOME_API microtome_status microtome_open(const char* path, microtome_slide** slide,
                                              microtome_error* error);

/** Closes a slide; NULL is fine. Loaders made from it go on. */
MICROTOME_API void microtome_close(microtome_slide* slide);

/** Which vendor's file it is: "aperio", "generic-tiff", … NULL of NULL. */
MICROTOME_API const char* microtome_format(const microtome_slide* slide);

/** What one sample of a pixel is; in memory always in the machine's byte order. */
typedef enum microtome_sample {
  MICROTOME_UINT8 = 0,
  MICROTOME_UINT16 = 1,
  MICROTOME_UINT32 = 2,
  MICROTOME_UINT64 = 3,
  MICROTOME_INT8 = 4,
  MICROTOME_INT16 = 5,
  MICROTOME_INT32 = 6,
  MICROTOME_INT64 = 7,
  MICROTOME_FLOAT16 = 8,
  MICROTOME_FLOAT32 = 9,
  MICROTOME_FLOAT64 = 10
} microtome_sample;

/** Bytes of a sample: 1, 2, 4 or 8; 0 for a number that is no microtome_sample. */
MICROTOME_API int32_t microtome_sample_bytes(int32_t sample);

/** NumPy's name of a sample's type: "uint8", "float32"; NULL for a number that is no microtome_sample. */
MICROTOME_API const char* microtome_sample_name(int32_t sample);

/** One stored resolution of a slide. */
typedef struct microtome_level_info {
  int64_t w, h;                      /**< Pixels. */
  int64_t tile_w, tile_h;            /**< Of a stored tile, in pixels: regions of whole tiles are cheapest. */
  double downsample_x, downsample_y; /**< Level 0's size divided by this one's. */
  double mpp_x, mpp_y; /**< Micrometres per pixel of this level; 0 where the file does not say. */
  int32_t channels;    /**< Samples of a pixel: 3 for RGB. */
  int32_t sample;      /**< A microtome_sample. */
  int64_t reserved[4]; /**< 0. */
} microtome_level_info;

/** How many levels the slide has; level 0 is the largest. 0 of NULL. */
MICROTOME_API int32_t microtome_level_count(const microtome_slide* slide);

/** What level number `level` is like. Errors: OUT_OF_RANGE, INVALID_ARGUMENT (NULL). */
MICROTOME_API microtome_status microtome_level(const microtome_slide* slide, int32_t level,
                                               microtome_level_info* info, microtome_error* error);

/** Magnification of level 0, or 0 where the file does not say. */
MICROTOME_API double microtome_objective_power(const microtome_slide* slide);

/** How many properties the slide has. 0 of NULL. */
MICROTOME_API size_t microtome_property_count(const microtome_slide* slide);

/** The name of property number `index`, in alphabetical order: `openslide.*` where OpenSlide defines them,
 * `microtome.*`, and the vendor's own. NULL where there is none of that number. */
MICROTOME_API const char* microtome_property_name(const microtome_slide* slide, size_t index);

/** The value of the property of that name, as UTF-8; NULL where the slide has none. */
MICROTOME_API const char* microtome_property(const microtome_slide* slide, const char* name);

/** The levels' colour profile (ICC.1), `size` bytes of it; NULL and 0 where the file has none. */
MICROTOME_API const void* microtome_icc_profile(const microtome_slide* slide, size_t* size);

/* ---- Regions ---- */

/** What is done about tiles that are damaged, unreadable or packed in an unknown way. */
typedef enum microtome_on_error {
  MICROTOME_RAISE = 0, /**< The first one fails the call. */
  MICROTOME_FILL = 1   /**< They become background and are reported. */
} microtome_on_error;

/** Told of each tile that was filled instead of read, in the thread that called, before the call returns.
 * `message` names it, the level and the slide, and is valid during the call. Must not throw. */
typedef void (*microtome_report)(void* user, const char* message);

/** How to read. Zeroed, it reads with all processors and fails at the first broken tile. */
typedef struct microtome_read_options {
  int32_t workers;         /**< Threads at most, the caller's among them; 0: all that may run at once. */
  int32_t on_error;        /**< A microtome_on_error. */
  microtome_report report; /**< Needed with MICROTOME_FILL: nothing is filled silently. */
  void* user;              /**< Handed to `report`. */
  /** What lies outside the slide or in tiles that the file leaves out: `fill_count` numbers, one for all
   * channels or one for each. NULL: 255 (127 where samples are int8). */
  const double* fill;
  size_t fill_count;   /**< Of `fill`; 0 with NULL. */
  size_t row_bytes;    /**< From one row of `pixels` to the next; 0: rows follow one another. */
  int64_t reserved[4]; /**< 0. */
} microtome_read_options;

/** A part of a level. It may reach beyond the slide. */
typedef struct microtome_region {
  int64_t x, y;  /**< Top left corner, in level-0 pixels. */
  int64_t w, h;  /**< Size, in pixels of the level. */
  int32_t level; /**< The level that is read. */
} microtome_region;

/** Reads a region.
 *
 * `pixels`      gets h rows of w pixels of the level's channels, interleaved. After an error their content
 *               is unspecified.
 * `size_bytes`  of the memory at `pixels`; checked against what the region needs.
 * Errors        OUT_OF_RANGE (level), INVALID_ARGUMENT (NULL, a size that is not positive, too little
 *               memory, a fill that the samples cannot hold, options that are none), CORRUPT, UNSUPPORTED
 *               and IO with slide, level and tile, OUT_OF_MEMORY.
 */
MICROTOME_API microtome_status microtome_read(const microtome_slide* slide, const microtome_region* region,
                                              void* pixels, size_t size_bytes,
                                              const microtome_read_options* options, microtome_error* error);

/** An image that comes with the slide: "thumbnail", "label", "macro", … */
typedef struct microtome_associated_info {
  const char* name;    /**< Lives as long as the slide. */
  int64_t w, h;        /**< Pixels. */
  int32_t channels;    /**< Samples of a pixel. */
  int32_t sample;      /**< A microtome_sample. */
  int64_t reserved[4]; /**< 0. */
} microtome_associated_info;

/** How many associated images the slide has. 0 of NULL. */
MICROTOME_API int32_t microtome_associated_count(const microtome_slide* slide);

/** What associated image number `index` is like. Errors: OUT_OF_RANGE, INVALID_ARGUMENT (NULL). */
MICROTOME_API microtome_status microtome_associated(const microtome_slide* slide, int32_t index,
                                                    microtome_associated_info* info, microtome_error* error);

/** Reads a whole associated image, as microtome_read does. Errors: NOT_FOUND, naming those there are;
 * else as microtome_read. */
MICROTOME_API microtome_status microtome_read_associated(const microtome_slide* slide, const char* name,
                                                         void* pixels, size_t size_bytes,
                                                         const microtome_read_options* options,
                                                         microtome_error* error);

/* ---- Batches ---- */

/** Where a patch is. */
typedef struct microtome_patch {
  int64_t x, y;  /**< Top left corner, in level-0 pixels of its slide. */
  int64_t slide; /**< Its number in the list of slides. */
} microtome_patch;

/** How to load. Zeroed, except for the patches' size, it loads level 0 in the order given. */
typedef struct microtome_loader_options {
  int64_t w, h;       /**< Of every patch, in pixels of its level. Needed. */
  int32_t level;      /**< The level that is read, of every slide. */
  int32_t on_error;   /**< A microtome_on_error; what was filled is in microtome_batch_error. */
  int64_t batch_size; /**< Patches of a batch; 0: 64. */
  int32_t prefetch;   /**< Batches decoded ahead of the one that was asked for last; 0: 2; -1: none. */
  /** Threads that decode beside the caller's; 1: none, batches are decoded when they are asked for; 0: as
   * many as this process may run at once. */
  int32_t workers;
  int32_t drop_last;   /**< Not 0: a last batch that is not full is left out. */
  int32_t shuffle;     /**< Not 0: an order that `seed` and `epoch` alone decide, on every machine. */
  uint64_t seed;       /**< Of the shuffle. */
  uint64_t epoch;      /**< Of the shuffle: give each pass its own. */
  int64_t rank;        /**< This process loads every `world_size`-th patch from this one on. */
  int64_t world_size;  /**< How many processes share the patches; 0: 1. */
  const double* fill;  /**< As in microtome_read_options. */
  size_t fill_count;   /**< Of `fill`; 0 with NULL. */
  int64_t reserved[4]; /**< 0. */
} microtome_loader_options;

/** One pass over patches, in batches. */
typedef struct microtome_loader microtome_loader;

/** Patches as one block of memory, N × h × w × channels, and what is known of each. Owns its memory. */
typedef struct microtome_batch microtome_batch;

/** Begins a pass; decoding ahead begins with it.
 *
 * `slides`   `slide_count` of them, whose levels have the same channels and samples. They may be closed
 *            afterwards.
 * `patches`  `patch_count` of them; they are copied.
 * `loader`   gets the loader; close it with microtome_loader_close.
 * Errors     INVALID_ARGUMENT (NULL, no slide, a size that is not positive, options that are none, slides
 *            that differ), OUT_OF_RANGE (level, a patch's slide), OUT_OF_MEMORY.
 */
MICROTOME_API microtome_status microtome_loader_open(const microtome_slide* const* slides, size_t slide_count,
                                                     const microtome_patch* patches, size_t patch_count,
                                                     const microtome_loader_options* options,
                                                     microtome_loader** loader, microtome_error* error);

/** Ends a pass, decoded or not; NULL is fine. Batches live on. */
MICROTOME_API void microtome_loader_close(microtome_loader* loader);

/** How many batches the pass has, delivered or not. 0 of NULL. */
MICROTOME_API int64_t microtome_loader_batch_count(const microtome_loader* loader);

/** The next batch, in order; waits for it.
 *
 * `batch`  gets the batch, or NULL after the last one; free it with microtome_batch_free.
 * Errors   as microtome_read's; then the pass is at its end, and later calls give the same error.
 */
MICROTOME_API microtome_status microtome_loader_next(microtome_loader* loader, microtome_batch** batch,
                                                     microtome_error* error);

/** Frees a batch; NULL is fine. Its memory serves batches to come. */
MICROTOME_API void microtome_batch_free(microtome_batch* batch);

/** What a batch holds. */
typedef struct microtome_batch_info {
  const void* pixels;     /**< `count` patches one after another, each h rows of w pixels. */
  const int64_t* indices; /**< `count` numbers: each patch's position in the loader's list. */
  int64_t count;          /**< Patches. */
  int64_t w, h;           /**< Of a patch. */
  int32_t channels;       /**< Samples of a pixel. */
  int32_t sample;         /**< A microtome_sample. */
  int64_t error_count;    /**< Of what was filled; see microtome_batch_error. */
  int64_t reserved[4];    /**< 0. */
} microtome_batch_info;

/** What the batch holds; its pointers live as long as it. Errors: INVALID_ARGUMENT (NULL). */
MICROTOME_API microtome_status microtome_batch_get(const microtome_batch* batch, microtome_batch_info* info,
                                                   microtome_error* error);

/** What was filled instead of read: message number `index` of microtome_batch_info.error_count, and through
 * `row`, if it is not NULL, the patch of the batch that it is of. NULL where there is none of that number. */
MICROTOME_API const char* microtome_batch_error(const microtome_batch* batch, int64_t index, int64_t* row);

#ifdef __cplusplus
}
#endif

#endif
