local helper = require "spec.helper"
local json = require "curia.json"
local sql = require "curia.sql"
local task = require "curia.task"

local ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"

local folder, db

local function path(name)
  return folder .. "/" .. name
end

local function open(name)
  return assert(sql.open("sqlite:" .. path(name)))
end

local function count()
  return db:query("SELECT count(*) AS n FROM t")[1].n
end

before_each(function()
  folder = os.tmpname()
  os.remove(folder)
  assert(require "luv".fs_mkdir(folder, 448))
  db = open "test.db"
  assert(db:execute "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b)")
end)

after_each(function()
  db:close()
  os.execute("rm -r '" .. folder .. "'")
end)

describe("a database", function()
  it("gives back what it was given", function()
    for _, value in ipairs { "text", "", "a\0b", 0, math.mininteger, math.maxinteger, 0.1, -1e300 } do
      local row = assert(db:query("SELECT ? AS v", value))[1]
      assert.equal(value, row.v)
      assert.equal(math.type(value), math.type(row.v))
    end
    assert.equal("\0\255", db:query("SELECT ? AS v", sql.bytes "\0\255")[1].v)
    assert.same({ a = 1, c = 2 }, db:query("SELECT ? AS a, ? AS b, ? AS c", true, nil, 2)[1])
    assert.same({}, db:query("SELECT ? AS v", json.null)[1])
  end)

  it("tells how many rows a statement has changed", function()
    local rows = assert(db:execute("INSERT INTO t (a) VALUES (?), (?)", 1, 2))
    assert.equal(2, rows.changes)
    assert.equal(0, db:query("SELECT * FROM t").changes)
    assert.equal(2, #db:query("SELECT * FROM t"))
  end)

  it("takes the values of many rows as lists", function()
    assert(db:write { { "INSERT INTO t (id, a) VALUES (?, ?), (?, ?)", n = 2, rows = { { 1, "x" }, { 2, nil } } } })
    assert.same({ { id = 1, a = "x" }, { id = 2 }, changes = 0 }, db:query("SELECT id, a FROM t ORDER BY id"))
    assert.error_matches(function() db:write { { "SELECT ?", n = 1, rows = { 1 } } } end, "a row is a list of values")
  end)

  it("carries out all of a unit, or nothing", function()
    local results, err = db:write {
      { "INSERT INTO t (a) VALUES (?)", 1 },
      { "UPDATE t SET a = ? WHERE id = ?", 2, 99, expect_rows = 1 },
    }
    assert.is_nil(results)
    assert.same({ "storage", "unexpected_rows", 2 }, { err.kind, err.code, err.statement })
    assert.matches("test.db: 0 rows where 1 were expected", err.message)
    assert.equal(0, count())
    assert(db:write { { "INSERT INTO t (a) VALUES (1)" }, { "UPDATE t SET a = 2", expect_rows = 1 } })
    assert.equal(2, db:query("SELECT a FROM t")[1].a)
  end)

  it("carries out the others of a batch in which one fails", function()
    local units = {}
    for i = 1, 50 do units[i] = db:submit { { "INSERT INTO t (id) VALUES (?)", i // 2 } } end
    local failed = 0
    for _, unit in ipairs(units) do
      local _, err = unit:await()
      if err then
        failed = failed + 1
        assert.equal("constraint", err.code)
      end
    end
    assert.same({ 24, 26 }, { failed, count() })
  end)

  it("names what is wrong with a statement", function()
    local function message(...) return select(2, db:query(...)).message end
    assert.matches("syntax error", message "SELEC 1")
    assert.matches("0 values for 1 placeholders", message "SELECT ?")
    assert.matches("exactly one statement", message "SELECT 1; SELECT 2")
    assert.matches("no such table: u", message "SELECT * FROM u")
    assert.equal("readonly", select(2, db:query "DELETE FROM t").code)
    assert.error_matches(function() db:write { { "SELECT ?", print } } end, "not a function")
    assert.error_matches(function() db:write { "SELECT 1" } end, "a statement is a table")
    assert.error_matches(function() db:write {} end, "one statement or more")
  end)

  it("does not hold the loop", function()
    helper.run(function()
      local reading = task.spawn(db.query, db, ENDLESS)
      for _ = 1, 5 do task.sleep(1) end
      assert.equal("waiting", reading:status())
      reading:cancel()
      reading:await()
    end)
  end)

  it("interrupts a read whose task is cancelled", function()
    local err = helper.run(function()
      local reading = task.spawn(function()
        return db:query(ENDLESS)
      end)
      reading:await(20)
      reading:cancel("enough")
      return select(2, reading:await())
    end)
    assert.equal("cancelled", err.kind)
    assert.equal(0, count()) -- the reader is free again
  end)

  it("stores a write whose task is cancelled", function()
    helper.run(function()
      local writing = task.spawn(function() db:execute "INSERT INTO t (a) VALUES (1)" end)
      task.sleep(0)
      writing:cancel("enough")
      writing:await()
    end)
    assert.is_true(helper.settle(function() return count() == 1 end))
  end)

  it("keeps what it was given when it is closed, by name or by scope", function()
    do
      local other <close> = open "test.db"
      for i = 1, 100 do other:submit { { "INSERT INTO t (a) VALUES (?)", i } } end
    end
    assert.is_true(helper.settle(function() return count() == 100 end))
    db:close()
    db:close()
    assert.error_matches(function() db:query "SELECT 1" end, "the database is closed")
    db = open "test.db"
    assert.equal(100, count())
  end)

  it("is copied while it is in use, and nothing is overwritten", function()
    assert(db:execute "INSERT INTO t (a) VALUES (1)")
    assert.is_true(db:backup(path "copy.db"))
    local again, err = db:backup(path "copy.db")
    assert.is_nil(again)
    assert.matches("already exists", err.message)
    local copy <close> = open "copy.db"
    assert.equal(1, copy:query("SELECT count(*) AS n FROM t")[1].n)
    assert.is_true(copy:check())
  end)

  it("finds damage", function()
    for _ = 1, 200 do db:submit { { "INSERT INTO t (a, b) VALUES (?, ?)", ("x"):rep(500), 1 } } end
    assert(db:execute "CREATE INDEX i ON t (a)")
    db:close()
    local file = assert(io.open(path "test.db", "r+b"))
    file:seek("set", 5 * 4096)
    file:write(("\255"):rep(4096))
    file:close()
    db = open "test.db"
    local good, err = db:check()
    assert.is_nil(good)
    assert.same({ "storage", "corrupt" }, { err.kind, err.code })
  end)
end)

describe("opening", function()
  local function problem(...)
    return select(2, sql.open(...))
  end

  it("tells why it is impossible", function()
    assert.equal("cannot_open", problem("sqlite:" .. path "none/test.db").code)
    local file = assert(io.open(path "text", "w"))
    file:write(("no database\n"):rep(100))
    file:close()
    assert.equal("not_a_database", problem("sqlite:" .. path "text").code)
    assert.equal("cannot_open", problem("sqlite:" .. path "new.db", { read_only = true }).code)
    assert.matches("unable to open database file %(there is no folder .*none%)",
      problem("sqlite:" .. path "none/test.db").message)
    assert(require "luv".fs_mkdir(path "folder", 448))
    assert.matches("%(it is a folder%)", problem("sqlite:" .. path "folder").message)
    assert.matches("'sqlite:': a store is named as sqlite:PATH", problem("sqlite:").message)
    assert.matches("'sqlite://': a store is named as sqlite:PATH", problem("sqlite://").message)
    assert.matches("a store is named as sqlite:PATH", problem("mysql:x").message)
    assert.matches("a store is named as sqlite:PATH", problem("test.db").message)
  end)

  it("refuses options that it does not know", function()
    assert.error_matches(function() sql.open("sqlite:x", { busy = 1 }) end, "unknown option 'busy'.*busy_ms")
    assert.error_matches(function() sql.open("sqlite:x", { busy_ms = "1" }) end, "busy_ms: number expected")
  end)

  it("for reading only changes nothing", function()
    local reader <close> = assert(sql.open("sqlite:" .. path "test.db", { read_only = true }))
    assert.equal("readonly", select(2, reader:execute "INSERT INTO t (a) VALUES (1)").code)
    assert.equal(0, #reader:query "SELECT * FROM t")
  end)

  it("in memory makes a database of its own", function()
    local memory <close> = assert(sql.open "sqlite::memory:")
    assert(memory:execute "CREATE TABLE m (a)")
    assert.equal(0, #memory:query "SELECT * FROM m")
  end)
end)
