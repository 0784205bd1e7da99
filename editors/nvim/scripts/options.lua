-- Generates the options section of the help from the comments in `lua/aide/config.lua`.
-- nvim -l scripts/options.lua          writes doc/aide.txt
-- nvim -l scripts/options.lua --check  only checks that it is up to date (else exit code 1)

local folder = vim.fs.dirname(vim.fs.dirname(vim.fs.abspath(arg[0])))

local function read(path)
  local file = assert(io.open(path))
  local text = file:read('*a')
  file:close()
  return text
end

--- The options of one table of config.lua: name, default, type and comment.
local function options_of(source, opening)
  local found, comment = {}, {}
  local from = assert(source:find(opening, 1, true), opening)
  for line in source:sub(from + #opening):gmatch('[^\n]+') do
    if line == '}' then
      break
    end
    local text = line:match('^%s+%-%- (.*)$')
    local name, default, kind = line:match('^%s+([%w_]+) = (.-), %-%-%-@type (.*)$')
    if text then
      table.insert(comment, text)
    elseif name then
      table.insert(
        found,
        { name = name, default = default, kind = kind, comment = table.concat(comment, ' ') }
      )
      comment = {}
    end
  end
  return found
end

--- Break a text into lines of the help's width.
local function wrap(text, indent)
  local lines, line = {}, indent
  for word in text:gmatch('%S+') do
    if #line + #word + 1 > 78 and line ~= indent then
      table.insert(lines, line)
      line = indent
    end
    line = line == indent and indent .. word or line .. ' ' .. word
  end
  table.insert(lines, line)
  return table.concat(lines, '\n')
end

local function section()
  local source = read(folder .. '/lua/aide/config.lua')
  local parts = {}
  local function add(prefix, opening)
    for _, option in ipairs(options_of(source, opening)) do
      if option.name ~= 'keys' then
        local head, tag =
          ('%s%s'):format(prefix, option.name), ('*aide-option-%s%s*'):format(prefix, option.name)
        table.insert(parts, head .. (' '):rep(math.max(1, 78 - #head - #tag)) .. tag)
        table.insert(parts, ('        Type: %s    Default: %s'):format(option.kind, option.default))
        table.insert(parts, wrap(option.comment:gsub('`', ''), '        ') .. '\n')
      end
    end
  end
  add('', 'M.defaults = {')
  add('keys.', 'M.keys = {')
  return table.concat(parts, '\n')
end

local path = folder .. '/doc/aide.txt'
local before = read(path)
local head, tail = before:match('^(.-%*aide%-options%*\n\n).-(\n=====.*)$')
local after = head .. section() .. tail
if after == before then
  os.exit(0)
elseif arg[1] == '--check' then
  io.stderr:write('doc/aide.txt is out of date. Run: nvim -l scripts/options.lua\n')
  os.exit(1)
end
local file = assert(io.open(path, 'w'))
file:write(after)
file:close()
