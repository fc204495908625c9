/* embed OUT ROOT FILE... : compiles Lua modules to bytecode and writes them as one C table. A text
 * (docs/language.md) becomes a module that returns it (curia.docs.language).
 *
 * A build step rather than a script, so that the bytecode always comes from the very liblua that
 * is linked into the library. Debug information stays in: tracebacks name file and line.
 */
#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *out;
static size_t written;

static int write_bytes(lua_State *L, const void *data, size_t size, void *unused) {
    (void)L;
    (void)unused;
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++)
        fprintf(out, "%u,%s", bytes[i], ++written % 32 == 0 ? "\n" : "");
    return 0;
}

/* "ROOT/curia/http/pool.lua" -> "curia.http.pool"; ".../init.lua" names its folder. */
static void module_name(char *name, size_t size, const char *root, const char *path) {
    snprintf(name, size, "%s", path + strlen(root) + 1);
    name[strlen(name) - strlen(".lua")] = 0;
    for (char *p = name; *p; p++)
        if (*p == '/') *p = '.';
    size_t length = strlen(name);
    if (length > 5 && strcmp(name + length - 5, ".init") == 0) name[length - 5] = 0;
}

static const char TEXT[] = ".md", QUOTE[] = "return [======[\n", UNQUOTE[] = "]======]";

static int is_text(const char *path) {
    size_t length = strlen(path), ending = sizeof TEXT - 1;
    return length > ending && strcmp(path + length - ending, TEXT) == 0;
}

static void text_name(char *name, size_t size, const char *path) {
    const char *base = strrchr(path, '/') + 1;
    snprintf(name, size, "curia.docs.%.*s", (int)(strlen(base) - (sizeof TEXT - 1)), base);
}

static size_t read_file(const char *path, char *buffer, size_t size) {
    FILE *in = fopen(path, "rb");
    if (!in) {
        perror(path);
        exit(1);
    }
    size_t length = fread(buffer, 1, size, in);
    fclose(in);
    return length;
}

/* The source of a module: the file, or for a text a chunk that returns it. */
static size_t read_source(const char *path, char *source, size_t size) {
    if (!is_text(path)) return read_file(path, source, size);
    size_t before = sizeof QUOTE - 1, after = sizeof UNQUOTE - 1;
    memcpy(source, QUOTE, before);
    size_t length = read_file(path, source + before, size - before - after);
    memcpy(source + before + length, UNQUOTE, after);
    return before + length + after;
}

static size_t embed(lua_State *L, int index, const char *root, const char *path) {
    char chunk[512];
    snprintf(chunk, sizeof chunk, "@%s", path + strlen(root) + 1);
    static char source[1 << 20];
    size_t length = read_source(path, source, sizeof source);
    if (luaL_loadbufferx(L, source, length, chunk, "t")) {
        fprintf(stderr, "%s\n", lua_tostring(L, -1));
        exit(1);
    }
    fprintf(out, "static const unsigned char module_%d[] = {\n", index);
    written = 0;
    lua_dump(L, write_bytes, NULL, 0);
    fputs("};\n", out);
    lua_settop(L, 0);
    return written;
}

int main(int argc, char **argv) {
    if (argc < 3 || !(out = fopen(argv[1], "w"))) {
        fprintf(stderr, "usage: embed OUT ROOT FILE...\n");
        return 1;
    }
    lua_State *L = luaL_newstate();
    size_t *sizes = calloc((size_t)argc, sizeof *sizes);
    fputs("#include \"embedded.h\"\n", out);
    for (int i = 3; i < argc; i++)
        sizes[i] = embed(L, i, argv[2], argv[i]);
    fputs("const curia__embedded curia__embedded_modules[] = {\n", out);
    for (int i = 3; i < argc; i++) {
        char name[256];
        if (is_text(argv[i]))
            text_name(name, sizeof name, argv[i]);
        else
            module_name(name, sizeof name, argv[2], argv[i]);
        fprintf(out, "{\"%s\", module_%d, %zu},\n", name, i, sizes[i]);
    }
    fputs("{0, 0, 0}};\n", out);
    free(sizes);
    lua_close(L);
    return fclose(out) ? 1 : 0;
}
