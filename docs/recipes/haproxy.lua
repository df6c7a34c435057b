-- Asks Countersign about a request. A refusal is the answer; otherwise the request goes on with what the answer says.

local question = "http://127.0.0.1:8080/auth/verify?for=client" -- port: countersign
local patience = 10000 -- milliseconds; HAProxy asks again three times
local most = 80 -- header fields of a request

local secret = os.getenv("COUNTERSIGN_FORWARD_AUTH")
assert(secret and secret ~= "", "COUNTERSIGN_FORWARD_AUTH is not set")

-- What the application gets from Countersign or not at all. Add the names of identity_headers, if you use them.
local spoken_for = {
  "cookie", "authorization", "dpop", "countersign-assertion",
  "x-auth-user", "x-auth-email", "x-auth-session", "x-auth-scopes",
}

-- What belongs to one connection or one body, and not to the question or its answer.
local left_out = {}
for name in ([[
  connection keep-alive proxy-connection proxy-authorization te trailer transfer-encoding upgrade expect
  content-length content-type content-encoding
]]):gmatch("%S+") do
  left_out[name] = true
end

-- Values are counted from 0 in HAProxy's tables, and from 1 in Lua's.
local function list(values)
  local all = {}
  for index = 0, #values do
    all[#all + 1] = values[index]
  end
  return all
end

local function refuse(txn, answer)
  local reply = txn:reply({ status = answer.status, reason = answer.reason })
  for name, values in pairs(answer.headers) do
    if name == "content-type" or not left_out[name] then
      for _, value in ipairs(list(values)) do
        reply:add_header(name, value)
      end
    end
  end
  reply:set_body(answer.body or "")
  txn:done(reply)
end

core.register_action("countersign", { "http-req" }, function(txn)
  local headers, count = {}, 0
  for name, values in pairs(txn.http:req_get_headers()) do
    if not left_out[name] then
      headers[name] = list(values)
      count = count + #headers[name]
    end
  end
  -- HAProxy's own client has room for tune.http.maxhdr fields (101), and 2.6 writes beyond it.
  if count > most then
    refuse(txn, { status = 431, reason = "Request Header Fields Too Large", headers = {} })
    return
  end
  headers["x-forwarded-method"] = { txn.f:method() }
  headers["x-forwarded-uri"] = { txn.f:pathq() }
  headers["countersign-forward-auth"] = { secret }

  local answer = core.httpclient():get({ url = question, headers = headers, timeout = patience })
  if not answer or not answer.status or answer.status < 200 then
    refuse(txn, { status = 503, reason = "Service Unavailable", headers = {} })
    return
  end
  if answer.status ~= 200 then
    refuse(txn, answer)
    return
  end
  for _, name in ipairs(spoken_for) do
    txn.http:req_del_header(name)
    for _, value in ipairs(answer.headers[name] and list(answer.headers[name]) or {}) do
      txn.http:req_add_header(name, value)
    end
  end
  txn:set_var("txn.countersign_passed", true)
  for name, variable in pairs({ ["countersign-cache"] = "txn.countersign_cache", ["countersign-vary"] = "txn.countersign_vary" }) do
    if answer.headers[name] then
      txn:set_var(variable, answer.headers[name][0])
    end
  end
end, 0)
