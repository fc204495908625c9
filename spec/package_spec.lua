--- What `cmake --install` puts somewhere is enough to build and run a host, and to load the module.
local helper = require "spec.helper"

local build = helper.program:match "^(.*)/bin/curia$"

local HOST = [[
#include <curia.h>
#include <stdio.h>
int main(void) {
    curia_runtime *rt;
    if (curia_new(NULL, &rt)) return 1;
    printf("%s\n", curia_version());
    curia_close(rt, NULL, NULL);
    while (curia_step(rt, 0) >= 0) {}
    return 0;
}
]]

local PROJECT = [[
cmake_minimum_required(VERSION 3.25)
project(host C)
find_package(curia 0.1 REQUIRED)
add_executable(shared host.c)
target_link_libraries(shared curia::curia)
add_executable(static host.c)
target_link_libraries(static curia::curia_static)
]]

local folder

local function write(name, text)
  local file = assert(io.open(folder .. "/" .. name, "w"))
  file:write(text)
  file:close()
end

-- Runs a shell command in the folder; gives its output, and fails with it.
local function sh(command)
  local pipe = assert(io.popen(("cd '%s' && { %s; } 2>&1"):format(folder, command)))
  local output = pipe:read "a"
  assert.is_true(pipe:close(), output)
  return output
end

if not helper.program:find("/release/", 1, true) then
  return -- the stock interpreter has no sanitizer's runtime
end

describe("an installation #slow", function()
  setup(function()
    folder = os.tmpname()
    os.remove(folder)
    os.execute("mkdir -p '" .. folder .. "'")
    write("host.c", HOST)
    write("CMakeLists.txt", PROJECT)
    local here = io.popen("pwd"):read "l"
    sh(("cmake --install '%s/%s' --prefix '%s/installed'"):format(here, build:gsub("^" .. here .. "/", ""), folder))
  end)

  teardown(function() os.execute("rm -r '" .. folder .. "'") end)

  it("builds a host with pkg-config", function()
    local pc = "PKG_CONFIG_PATH=$(dirname $(find installed -name curia.pc))"
    sh(("cc host.c -o host $(%s pkg-config --cflags --libs curia)"):format(pc))
    assert.matches("^%d+%.%d+%.%d+\n$", sh "LD_LIBRARY_PATH=$(dirname $(find installed -name libcuria.so)) ./host")
  end)

  it("builds the host of docs/embedding.md, which runs", function()
    local file = assert(io.open "docs/embedding.md")
    write("manual.c", (file:read "a":match "```c\n(.-)```"))
    file:close()
    sh("cc -Wall -Werror manual.c -o manual -Iinstalled/include -L$(dirname $(find installed -name libcuria.so)) -lcuria")
    local out = sh("ln -sf '" .. io.popen("pwd"):read "l" .. "/councils' councils; "
      .. "LD_LIBRARY_PATH=$(dirname $(find installed -name libcuria.so)) ./manual")
    assert.matches("^completed: {", out)
  end)

  it("builds hosts with CMake, shared and static", function()
    sh "cmake -S . -B build -DCMAKE_PREFIX_PATH=$PWD/installed && cmake --build build"
    assert.matches("^%d+%.%d+%.%d+\n$", sh "build/shared")
    assert.matches("^%d+%.%d+%.%d+\n$", sh "build/static")
  end)

  it("has a library that shows the functions of curia.h and no others", function()
    local names = sh "nm -D --defined-only $(find installed -name libcuria.so) | awk '{print $3}'"
    assert.truthy(names:find("curia_start\n", 1, true))
    for name in names:gmatch "%S+" do assert.matches("^curia_%l", name) end
  end)

  it("has the module for stock Lua, which shows its opener", function()
    local names = sh "nm -D --defined-only $(find installed -path '*lua*' -name curia.so) | awk '{print $3}'"
    assert.equal("luaopen_curia\n", names)
    local out = sh [[LUA_CPATH="$(dirname $(find installed -path '*lua*' -name curia.so))/?.so;;" \
      lua5.4 -e 'print(require("curia")._VERSION)']]
    assert.matches("^%d+%.%d+%.%d+\n$", out)
  end)

  it("has the program, the councils and the header", function()
    for _, name in ipairs { "curia.h", "llm_council.lua", "first.lua" } do
      assert.is_not.equal("", sh("find installed -name " .. name))
    end
    assert.matches("curia", sh "installed/bin/curia version")
  end)
end)
