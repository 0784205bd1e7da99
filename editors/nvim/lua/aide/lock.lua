-- Picks from `requirements.lock` what the server needs to run and to be installed: the file also pins what
-- developers of Aide need.

local M = {}

local ROOT = 'aide-lsp (pyproject.toml)'
local BUILDER = 'hatchling' -- of `build-system` in pyproject.toml

---@class aide.Pin
---@field texts string[] its lines with the hashes, for each of its versions: they may depend on Python's
---@field via table<string, true> who needs it

--- The packages of a lock file.
---@param text string
---@return table<string, aide.Pin>
local function pins(text)
  local found, current = {}, nil ---@type table<string, aide.Pin>, aide.Pin?
  for line in text:gmatch('[^\n]+') do
    local name, via = line:match('^([%w%._-]+)=='), line:match('^    #%s+(.+)$')
    if name then
      current = found[name] or { texts = {}, via = {} }
      table.insert(current.texts, line)
      found[name] = current
    elseif current and via then
      current.via[(via:gsub('^via ', ''))] = true
    elseif current and line:match('^    %-%-hash') then
      current.texts[#current.texts] = current.texts[#current.texts] .. '\n' .. line
    end
  end
  return found
end

--- The lines of the packages that the server needs, each with its hashes.
---@param text string of the lock file
---@return string
function M.needed(text)
  local all, needed = pins(text), { [ROOT] = true, [BUILDER] = true }
  local changed = true
  while changed do
    changed = false
    for name, pin in pairs(all) do
      if
        not needed[name]
        and vim.iter(pairs(pin.via)):any(function(user)
          return needed[user] == true
        end)
      then
        needed[name], changed = true, true
      end
    end
  end
  local lines = {}
  for name in pairs(needed) do
    vim.list_extend(lines, all[name] and all[name].texts or {})
  end
  table.sort(lines)
  return table.concat(lines, '\n') .. '\n'
end

return M
