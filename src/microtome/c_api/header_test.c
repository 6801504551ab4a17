/* The header through a C compiler, strictly C99, and a program in C that uses each part of it once. Called by
 * slide_test.cc. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "microtome/microtome.h"

int microtome_c_api_header_test(const char* path, char* message, size_t size);

static int read_all(const microtome_slide* slide, char* message, size_t size) {
  microtome_error error;
  microtome_level_info level;
  microtome_region region = {0, 0, 0, 0, 0};
  unsigned char* pixels;
  size_t bytes;
  int failed;
  if (microtome_level(slide, 0, &level, &error) != MICROTOME_OK)
    return snprintf(message, size, "%s", error.message);
  region.w = level.w;
  region.h = level.h;
  bytes = (size_t)(level.w * level.h * level.channels * microtome_sample_bytes(level.sample));
  pixels = malloc(bytes);
  if (pixels == NULL) return snprintf(message, size, "no memory");
  failed = microtome_read(slide, &region, pixels, bytes, NULL, &error) != MICROTOME_OK;
  if (failed) snprintf(message, size, "%s", error.message);
  free(pixels);
  return failed;
}

static int load_all(const microtome_slide* slide, char* message, size_t size) {
  const microtome_patch patches[3] = {{0, 0, 0}, {16, 0, 0}, {0, 16, 0}};
  microtome_loader_options options;
  microtome_loader* loader = NULL;
  microtome_batch* batch = NULL;
  microtome_batch_info info;
  microtome_error error;
  int64_t patches_seen = 0;
  memset(&options, 0, sizeof options);
  options.w = 16;
  options.h = 16;
  options.batch_size = 2;
  if (microtome_loader_open(&slide, 1, patches, 3, &options, &loader, &error) != MICROTOME_OK)
    return snprintf(message, size, "%s", error.message);
  for (;;) {
    if (microtome_loader_next(loader, &batch, &error) != MICROTOME_OK) {
      microtome_loader_close(loader);
      return snprintf(message, size, "%s", error.message);
    }
    if (batch == NULL) break;
    microtome_batch_get(batch, &info, &error);
    patches_seen += info.count;
    microtome_batch_free(batch);
  }
  microtome_loader_close(loader);
  return patches_seen == 3 ? 0 : snprintf(message, size, "%d patches, expected 3", (int)patches_seen);
}

/* 0, or what went wrong in `message`. */
int microtome_c_api_header_test(const char* path, char* message, size_t size) {
  microtome_error error;
  microtome_slide* slide = NULL;
  int failed;
  if (microtome_open(path, &slide, &error) != MICROTOME_OK)
    return snprintf(message, size, "%s", error.message);
  failed = microtome_property(slide, "openslide.vendor") == NULL;
  if (failed) snprintf(message, size, "no property openslide.vendor");
  failed = failed || read_all(slide, message, size) || load_all(slide, message, size);
  microtome_close(slide);
  return failed;
}
