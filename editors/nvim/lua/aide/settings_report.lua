-- Colors the server's report of the settings in effect, and shortens its paths.

local M = {}

--- A line of the report in pieces. Groups are not indented; `overrides` is indented far.
---@param line string
---@param group string the group it is in
---@return aide.Line
local function colored(line, group)
  local key, value, place = line:match('^(  [%l_]+%s+)(.-)(%s%s+%S.*)$')
  if line:match('^%S') then
    return { { line, 'Title' } }
  elseif group == 'Problems' then
    return { { line, 'WarningMsg' } }
  elseif line:match('^%s+overrides ') then
    return { { line, 'Comment' } }
  elseif key then
    return { { key, 'Identifier' }, { value }, { place, 'Comment' } }
  end
  return line
end

--- The report.
---@param text string of `aide.settings`
---@return aide.Line[]
function M.lines(text)
  local lines, group = {}, ''
  local here = vim.fs.normalize(vim.fn.getcwd()) .. '/'
  for line in vim.gsplit(vim.trim(text), '\n', { plain = true }) do
    group = line:match('^%S.*') or group
    table.insert(lines, colored((line:gsub(vim.pesc(here), '')), group))
  end
  return lines
end

return M
