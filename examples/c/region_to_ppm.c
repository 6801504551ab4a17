/* Writes a region of a slide as a PPM picture, in plain C.
 *
 *     region_to_ppm slide.svs X Y W H LEVEL out.ppm
 *
 * X and Y are level-0 pixels, W and H pixels of the level. Ends with 0, or with 1 and a line that says why
 * not. */
#include <microtome/microtome.h>
#include <stdio.h>
#include <stdlib.h>

static int fail(const char* what, const microtome_error* error) {
  fprintf(stderr, "%s: %s: %s\n", what, microtome_status_name(error->status), error->message);
  return 1;
}

static void describe(const microtome_slide* slide) {
  const char* mpp = microtome_property(slide, "openslide.mpp-x");
  microtome_level_info level;
  int32_t i;
  printf("%s, %d levels, %s um per pixel\n", microtome_format(slide), (int)microtome_level_count(slide),
         mpp ? mpp : "?");
  for (i = 0; microtome_level(slide, i, &level, NULL) == MICROTOME_OK; ++i)
    printf("  level %d: %lld x %lld, downsample %.3f\n", (int)i, (long long)level.w, (long long)level.h,
           level.downsample_x);
}

static int write_ppm(const char* path, const unsigned char* pixels, const microtome_region* region) {
  const size_t bytes = (size_t)(region->w * region->h * 3);
  FILE* file = fopen(path, "wb");
  int ok = file != NULL;
  if (ok) {
    ok = fprintf(file, "P6\n%lld %lld\n255\n", (long long)region->w, (long long)region->h) > 0;
    ok = fwrite(pixels, 1, bytes, file) == bytes && ok;
    ok = fclose(file) == 0 && ok;
  }
  if (!ok) perror(path);
  return !ok;
}

static int read_and_write(const microtome_slide* slide, const microtome_region* region, const char* path) {
  microtome_error error;
  microtome_level_info level;
  unsigned char* pixels;
  size_t bytes;
  int failed;
  if (microtome_level(slide, region->level, &level, &error) != MICROTOME_OK) return fail("level", &error);
  if (level.channels != 3 || level.sample != MICROTOME_UINT8) {
    fprintf(stderr, "%d channels of %s; a PPM has 3 of uint8\n", (int)level.channels,
            microtome_sample_name(level.sample));
    return 1;
  }
  if (region->w < 1 || region->h < 1 || region->w > 65536 || region->h > 65536) {
    fprintf(stderr, "a region of %lld x %lld pixels\n", (long long)region->w, (long long)region->h);
    return 1;
  }
  bytes = (size_t)(region->w * region->h * 3);
  pixels = malloc(bytes);
  if (pixels == NULL) {
    perror("malloc");
    return 1;
  }
  if (microtome_read(slide, region, pixels, bytes, NULL, &error) != MICROTOME_OK)
    failed = fail("read", &error);
  else
    failed = write_ppm(path, pixels, region);
  free(pixels);
  return failed;
}

int main(int argc, char** argv) {
  microtome_error error;
  microtome_slide* slide = NULL;
  microtome_region region;
  int failed;
  if (argc != 8) {
    fprintf(stderr, "usage: %s SLIDE X Y W H LEVEL OUT.ppm\n", argv[0]);
    return 1;
  }
  region.x = atoll(argv[2]);
  region.y = atoll(argv[3]);
  region.w = atoll(argv[4]);
  region.h = atoll(argv[5]);
  region.level = atoi(argv[6]);
  if (microtome_open(argv[1], &slide, &error) != MICROTOME_OK) return fail(argv[1], &error);
  describe(slide);
  failed = read_and_write(slide, &region, argv[7]);
  microtome_close(slide);
  return failed;
}
