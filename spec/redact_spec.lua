local redact = require "curia.redact"

describe("curia.redact", function()
  local SECRET = "sk-test-4f9a8b7c6d5e4f3a2b1c"

  before_each(redact.reset)
  after_each(redact.reset)

  it("leaves texts alone when it knows no secret or none occurs", function()
    assert.equal("plain", redact.text("plain"))
    redact.add(SECRET)
    assert.equal("plain", redact.text("plain"))
    assert.equal("", redact.text(""))
  end)

  it("masks a secret wherever and however often it stands", function()
    redact.add(SECRET)
    assert.equal("[secret]", redact.text(SECRET))
    assert.equal("a [secret] b [secret]", redact.text("a " .. SECRET .. " b " .. SECRET))
    assert.equal("[secret][secret]", redact.text(SECRET .. SECRET))
  end)

  it("masks echoes of its first twelve bytes and more", function()
    redact.add(SECRET)
    assert.equal("Incorrect key: [secret]***1c", redact.text("Incorrect key: " .. SECRET:sub(1, 15) .. "***1c"))
    assert.equal("[secret]", redact.text(SECRET:sub(1, 12)))
    assert.equal(SECRET:sub(1, 11), redact.text(SECRET:sub(1, 11)))
  end)

  it("masks the forms a secret has in JSON and in URLs", function()
    local odd = 'pa/ss"wo\\rd with+blank\1'
    redact.add(odd)
    for _, form in ipairs {
      odd,
      'pa/ss\\"wo\\\\rd with+blank\\u0001',
      'pa\\/ss\\"wo\\\\rd with+blank\\u0001',
      "pa%2Fss%22wo%5Crd%20with%2Bblank%01",
      "pa%2fss%22wo%5crd%20with%2bblank%01",
      "pa%2Fss%22wo%5Crd+with%2Bblank%01",
    } do
      assert.equal("<[secret]>", redact.text("<" .. form .. ">"), form)
    end
  end)

  it("masks the longer of two secrets that begin alike", function()
    redact.add("sk-shared-beginning-one")
    redact.add("sk-shared-beginning-one-and-more")
    assert.equal("[secret]!", redact.text("sk-shared-beginning-one-and-more!"))
  end)

  it("masks short secrets only where they stand alone", function()
    redact.add("hunter2")
    assert.equal("key [secret]; hunter22 xhunter2", redact.text("key hunter2; hunter22 xhunter2"))
    redact.add("abc")
    assert.equal("abc", redact.text("abc"))
  end)

  it("leaves short secrets in what is stored", function()
    redact.add "test"
    redact.add "sk-long-secret-key"
    local said = "run the test with sk-long-secret-key"
    assert.equal("run the test with [secret]", redact.lasting(said))
    assert.same({ "run the test with [secret]" }, redact.deep({ said }, redact.lasting))
    assert.same({ "run the [secret] with [secret]" }, redact.deep { said })
  end)

  it("takes pattern characters literally", function()
    redact.add("a.c%d-e")
    assert.equal("[secret] abc%d-e", redact.text("a.c%d-e abc%d-e"))
  end)

  it("ignores what is no text", function()
    redact.add(nil)
    redact.add(12345678)
    assert.equal("12345678", redact.text("12345678"))
  end)

  it("masks the texts inside a table, cycles included", function()
    redact.add(SECRET)
    local err = { message = "no " .. SECRET, status = 401, context = { body = { SECRET } } }
    err.context.self = err
    assert.equal(err, redact.deep(err))
    assert.equal("no [secret]", err.message)
    assert.equal("[secret]", err.context.body[1])
    assert.equal(401, err.status)
    assert.equal("x", redact.deep("x"))
  end)
end)
