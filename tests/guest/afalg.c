// Ciphers by AF_ALG, for use inside a guest: `afalg compare` runs every line of a table of cases on each driver
// named and compares with the answer in the table; `afalg soak` repeats one case on one key until it is terminated.
// Written for this because kcapi-tools cannot place data at a chosen offset in a page, nor cut it into pieces.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_alg.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PAGE = 4096, MAX_PIECES = 1024, BLOCK = 16 };

// One line of the table: label, key, iv, plaintext file, ciphertext file, length, offset of the source in its page,
// offset of the destination in its page, bytes a piece (0: in one), how the source is handed over.
struct test_case {
  char label[64], key_hex[65], iv_hex[33], plain_file[128], cipher_file[128], way[16];
  size_t length, source_offset, destination_offset, piece;
};

static size_t bytes_of_hex(const char *hex, uint8_t *out) {
  size_t n = strlen(hex) / 2;
  for (size_t i = 0; i < n; i++) sscanf(hex + 2 * i, "%2hhx", &out[i]);
  return n;
}

static int failed(char *why, const char *action) {
  sprintf(why, "%s: %s", action, strerror(errno));
  return -1;
}

static uint8_t *pages(size_t length) {
  uint8_t *p = mmap(0, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (p == MAP_FAILED) {
    perror("mmap");
    exit(2);
  }
  return p;
}

static int read_file(const char *name, uint8_t *out, size_t length) {
  int fd = open(name, O_RDONLY);
  if (fd < 0) return -1;
  size_t done = 0;
  ssize_t n;
  while (done < length && (n = read(fd, out + done, length - done)) > 0) done += n;
  close(fd);
  return done == length ? 0 : -1;
}

// A socket with a key set: one session of the device for each direction. Returns -1 with the reason in `why`.
static int open_cipher(const char *driver, const char *key_hex, char *why) {
  struct sockaddr_alg address = {.salg_family = AF_ALG, .salg_type = "skcipher"};
  snprintf((char *)address.salg_name, sizeof address.salg_name, "%s", driver);
  int parent = socket(AF_ALG, SOCK_SEQPACKET, 0);
  if (parent < 0) return failed(why, "socket");
  uint8_t key[32];
  size_t key_length = bytes_of_hex(key_hex, key);
  int child = -1;
  if (bind(parent, (void *)&address, sizeof address)) failed(why, "bind");
  else if (setsockopt(parent, SOL_ALG, ALG_SET_KEY, key, key_length)) failed(why, "set key");
  else if ((child = accept(parent, 0, 0)) < 0) failed(why, "accept");
  close(parent);
  if (child >= 0) {
    // The default holds about 200 KiB, and the whole source must be in before the first byte comes out.
    int room = 8 << 20;
    setsockopt(child, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
    setsockopt(child, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  }
  return child;
}

// The request's parameters, and by `send` its data too: the kernel copies those into pages of its own.
static int send_source(int socket, int operation, const uint8_t *iv, const uint8_t *source, size_t length,
                       size_t piece, int by_splice, char *why) {
  union {
    char bytes[CMSG_SPACE(4) + CMSG_SPACE(sizeof(struct af_alg_iv) + BLOCK)];
    struct cmsghdr aligned;
  } control = {0};
  struct msghdr message = {.msg_control = &control, .msg_controllen = sizeof control};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_ALG;
  header->cmsg_type = ALG_SET_OP;
  header->cmsg_len = CMSG_LEN(4);
  *(uint32_t *)CMSG_DATA(header) = operation;
  header = CMSG_NXTHDR(&message, header);
  header->cmsg_level = SOL_ALG;
  header->cmsg_type = ALG_SET_IV;
  header->cmsg_len = CMSG_LEN(sizeof(struct af_alg_iv) + BLOCK);
  struct af_alg_iv *slot = (void *)CMSG_DATA(header);
  slot->ivlen = BLOCK;
  memcpy(slot->iv, iv, BLOCK);
  if (sendmsg(socket, &message, MSG_MORE) < 0) return failed(why, "send parameters");

  if (!by_splice) {
    for (size_t at = 0; at < length;) {
      size_t n = length - at < piece ? length - at : piece;
      ssize_t sent = send(socket, source + at, n, at + n < length ? MSG_MORE : 0);
      if (sent <= 0) return failed(why, "send");
      at += sent;
    }
    return 0;
  }

  // By splice the device reads this program's own pages, at the offsets and in the pieces asked for. A pipe in
  // packets keeps the pieces apart; each part is moved on at once, so that the pipe never fills.
  int ends[2];
  if (pipe(ends)) return failed(why, "pipe");
  int result = 0;
  for (size_t at = 0; at < length && !result;) {
    struct iovec part = {(void *)(source + at), length - at < piece ? length - at : piece};
    if (part.iov_len > 16 * PAGE - PAGE) part.iov_len = 16 * PAGE - PAGE;
    ssize_t taken = vmsplice(ends[1], &part, 1, 0);
    if (taken <= 0) result = failed(why, "vmsplice");
    for (ssize_t left = taken; left > 0 && !result;) {
      int more = at + taken < length ? SPLICE_F_MORE : 0;
      ssize_t moved = splice(ends[0], 0, socket, 0, left, more);
      if (moved <= 0) result = failed(why, "splice");
      left -= moved;
    }
    at += taken;
  }
  close(ends[0]);
  close(ends[1]);
  return result;
}

static int receive(int socket, uint8_t *destination, size_t length, size_t piece, char *why) {
  static struct iovec parts[MAX_PIECES];
  for (size_t at = 0; at < length;) {
    size_t count = 0, offset = at;
    while (offset < length && count < MAX_PIECES) {
      size_t n = length - offset < piece ? length - offset : piece;
      parts[count++] = (struct iovec){destination + offset, n};
      offset += n;
    }
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    ssize_t n = recvmsg(socket, &message, 0);
    if (n <= 0) return failed(why, "receive");
    at += n;
  }
  return 0;
}

static int transform(int socket, const struct test_case *test, int operation, const uint8_t *source,
                     const uint8_t *expected, uint8_t *destination, char *why) {
  uint8_t iv[BLOCK];
  bytes_of_hex(test->iv_hex, iv);
  size_t piece = test->piece ? test->piece : test->length;
  memset(destination - 1, 0xa5, test->length + 2);
  if (send_source(socket, operation, iv, source, test->length, piece, !strcmp(test->way, "splice"), why)) return -1;
  if (receive(socket, destination, test->length, piece, why)) return -1;
  for (size_t i = 0; i < test->length; i++)
    if (destination[i] != expected[i])
      return sprintf(why, "byte %zu is %02x, expected %02x", i, destination[i], expected[i]), -1;
  if (destination[-1] != 0xa5 || destination[test->length] != 0xa5) return sprintf(why, "wrote outside"), -1;
  return 0;
}

struct buffers {
  uint8_t *plain, *cipher, *destination;
};

static struct buffers load(const struct test_case *test, char *why) {
  // A page before the destination and one after it, for the guard bytes.
  size_t room = test->length + 3 * PAGE;
  struct buffers b = {pages(room) + test->source_offset, pages(room) + test->source_offset,
                      pages(room) + PAGE + test->destination_offset};
  if (read_file(test->plain_file, b.plain, test->length) || read_file(test->cipher_file, b.cipher, test->length))
    failed(why, "read data");
  return b;
}

static void unload(const struct test_case *test, struct buffers b) {
  size_t room = test->length + 3 * PAGE;
  munmap(b.plain - test->source_offset, room);
  munmap(b.cipher - test->source_offset, room);
  munmap(b.destination - PAGE - test->destination_offset, room);
}

static int next_case(FILE *table, struct test_case *test) {
  return fscanf(table, "%63s %64s %32s %127s %127s %zu %zu %zu %zu %15s", test->label, test->key_hex, test->iv_hex,
                test->plain_file, test->cipher_file, &test->length, &test->source_offset, &test->destination_offset,
                &test->piece, test->way) == 10;
}

static int compare(const char *table_name, char **drivers) {
  FILE *table = fopen(table_name, "r");
  if (!table) return perror(table_name), 2;
  struct test_case test;
  int wrong = 0;
  while (next_case(table, &test)) {
    for (char **driver = drivers; *driver; driver++) {
      char why[256] = "";
      struct buffers b = load(&test, why);
      int socket = *why ? -1 : open_cipher(*driver, test.key_hex, why);
      if (socket >= 0) {
        if (transform(socket, &test, ALG_OP_ENCRYPT, b.plain, b.cipher, b.destination, why))
          memmove(why + 9, why, sizeof why - 10), memcpy(why, "encrypt: ", 9);
        else if (transform(socket, &test, ALG_OP_DECRYPT, b.cipher, b.plain, b.destination, why))
          memmove(why + 9, why, sizeof why - 10), memcpy(why, "decrypt: ", 9);
        close(socket);
      }
      unload(&test, b);
      printf("%s %s %s\n", test.label, *driver, *why ? why : "ok");
      wrong += *why != 0;
    }
  }
  fclose(table);
  return wrong ? 1 : 0;
}

static volatile sig_atomic_t ended;
static void on_end(int signal) {
  (void)signal;
  ended = 1;
}

// Repeats the table's first case on one key; the number of rounds done so far stands in `progress_name`.
static int soak(const char *table_name, const char *driver, const char *progress_name) {
  FILE *table = fopen(table_name, "r");
  struct test_case test;
  if (!table || !next_case(table, &test)) return perror(table_name), 2;
  fclose(table);
  sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_end, .sa_flags = SA_RESTART}, 0);
  int progress = open(progress_name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  char why[256] = "";
  struct buffers b = load(&test, why);
  int socket = *why ? -1 : open_cipher(driver, test.key_hex, why);
  for (unsigned long round = 1; !ended && !*why; round++) {
    if (!transform(socket, &test, ALG_OP_ENCRYPT, b.plain, b.cipher, b.destination, why))
      transform(socket, &test, ALG_OP_DECRYPT, b.cipher, b.plain, b.destination, why);
    char text[32];
    if (!*why) pwrite(progress, text, sprintf(text, "%lu\n", round), 0);
  }
  printf("%s %s %s\n", test.label, driver, *why ? why : "ok");
  return *why ? 1 : 0;
}

int main(int argc, char **argv) {
  // What stands in a file or on the serial line must be whole lines even when the guest is reset.
  setvbuf(stdout, 0, _IOLBF, 0);
  if (argc >= 4 && !strcmp(argv[1], "compare")) return compare(argv[2], argv + 3);
  if (argc == 5 && !strcmp(argv[1], "soak")) return soak(argv[2], argv[3], argv[4]);
  fprintf(stderr, "Usage: afalg compare TABLE DRIVER... | afalg soak TABLE DRIVER PROGRESS_FILE\n");
  return 2;
}
