-- Runs the server's commands for the current document or place, and shows errors and the server's messages.

local client_of = require('aide.client')
local json = require('aide.json')

local M = {}

-- Why an answer came to nothing that the user knows of: they went on.
local OUTDATED = { superseded = true, cancelled = true, stale = true }

--- Show a message of an answer.
---@param message? string
---@param reason? string why the answer came to nothing
function M.show_message(message, reason)
  if message and not OUTDATED[reason or ''] then
    require('aide.message').show(vim.startswith(message, 'Aide') and message or 'Aide: ' .. message)
  end
end

local function show_answer(result)
  if type(result) == 'table' then
    M.show_message(result.message, result.reason)
  end
end

--- Run a command for the document. Without `on_result`, show the message of the answer.
---@param command string
---@param argument? table
---@param on_result? fun(result: any)
function M.run(command, argument, on_result)
  local buf = vim.api.nvim_get_current_buf()
  local values = vim.tbl_extend('force', { uri = client_of.uri(buf) }, argument or {})
  client_of.run(buf, command, values, on_result or show_answer)
end

--- Run a command that is about the server: also where Aide is not active, as in a help page.
---@param command string
---@param argument? table
---@param on_result? fun(result: any)
function M.run_anywhere(command, argument, on_result)
  if client_of.of(0) then
    return M.run(command, argument, on_result)
  end
  client_of.with_any(function(client)
    client_of.request(client, 0, command, argument or {}, on_result or show_answer)
  end)
end

--- Run a command for a place, which `on_result` also receives.
---@param place table see `completion.place`
---@param command string
---@param argument? table
---@param on_result fun(result: any, place: table)
function M.run_at(place, command, argument, on_result)
  local client = client_of.of(place.buf)
  local here = client and client_of.place(client, place.buf, place.row, place.column) or {}
  client_of.run(place.buf, command, vim.tbl_extend('force', here, argument or {}), function(result)
    on_result(result, place)
  end)
end

--- Run a command at the cursor.
---@param command string
---@param argument? table
---@param on_result fun(result: any, place: table)
function M.run_here(command, argument, on_result)
  M.run_at(require('aide.completion').place(), command, argument, on_result)
end

--- The choices of a list, to complete arguments. Waits for the answer.
---@param list 'presets'|'complaints'|'models'
---@return string[]
function M.names(list)
  local client = client_of.any(0)
  if not client then
    return {}
  end
  local buf = vim.api.nvim_get_current_buf()
  local argument = client_of.of(buf) and { uri = client_of.uri(buf) } or vim.empty_dict()
  local params = { command = 'aide.choices', arguments = { argument } }
  local answer = client:request_sync('workspace/executeCommand', params, 1000, 0)
  return vim.tbl_map(function(choice)
    return choice.name or choice.id
  end, (answer and json.without_nulls(answer.result) or {})[list] or {})
end

--- Let the user choose from one of the server's lists.
---@param list 'presets'|'complaints'|'models'
---@param prompt string
---@param on_choice fun(name: string)
function M.choose(list, prompt, on_choice)
  M.run_anywhere('aide.choices', nil, function(choices)
    require('aide.question').ask(choices[list], prompt, function(choice)
      local current = choice.current and ' (current)' or ''
      return ('%s%s: %s'):format(choice.name or choice.id, current, choice.detail)
    end, function(choice)
      if choice then
        on_choice(choice.name or choice.id)
      end
    end)
  end)
end

return M
