-- What is on show: asks the server after each change, shows its answer, takes it over, goes round.
-- One request at a time; the older one is cancelled. Nothing is remembered but what is on show: caching is
-- the server's. It knows neither how a text is drawn (`ghost.lua`) nor how it is cut (`edit.lua`).

local client_of = require('aide.client')
local edits = require('aide.edit')
local ghost = require('aide.ghost')

local M = {}

local INVOKED, AUTOMATIC = 1, 2 -- `InlineCompletionTriggerKind`

---@class aide.Shown
---@field buf integer
---@field client_id integer
---@field items table[] the server's
---@field edits aide.Edit[] one for each item, as of when they came
---@field index integer the one on show
---@field several boolean whether the user asked for several
---@field accepted boolean a part of it was taken already

local shown ---@type aide.Shown?
local waiting ---@type {client: vim.lsp.Client, id: integer}?
local asked ---@type string? the place that was asked for last
local last_place ---@type {buf: integer, tick: integer, row: integer, column: integer}?

---@return integer buf, integer row, integer column, string line
local function cursor()
  local at = vim.api.nvim_win_get_cursor(0)
  return vim.api.nvim_get_current_buf(), at[1] - 1, at[2], vim.api.nvim_get_current_line()
end

---@return boolean
local function is_inserting()
  return vim.api.nvim_get_mode().mode:sub(1, 1) == 'i' and vim.fn.reg_executing() == ''
end

---@return string
local function place_key()
  local buf, row, column = cursor()
  return ('%d:%d:%d:%d'):format(buf, vim.api.nvim_buf_get_changedtick(buf), row, column)
end

--- Whether the user is choosing from the popup menu: then the menu has the word.
local function is_menu_in_use()
  return vim.fn.pumvisible() == 1 and vim.fn.complete_info({ 'selected' }).selected >= 0
end

--- The edit on show, followed to the cursor; nil: none fits any more. Looked at anew each time: keys may have
--- been typed since the last event.
---@param index? integer
---@return aide.Edit?
local function current(index)
  local buf, row, column, line = cursor()
  if not shown or shown.buf ~= buf or not is_inserting() or is_menu_in_use() then
    return nil
  end
  return edits.follow(shown.edits[index or shown.index], row, column, line)
end

local function draw()
  local edit = current()
  if not shown or not edit then
    M.hide()
    return
  end
  local label = #shown.items > 1 and ('%d/%d'):format(shown.index, #shown.items) or nil
  ghost.draw(shown.buf, edit, require('aide.config').options.count and label or nil)
end

local function cancel()
  if waiting then
    waiting.client:cancel_request(waiting.id)
    waiting = nil
  end
end

---@param client vim.lsp.Client
---@param items table[]
---@param kind integer
local function receive(client, items, kind)
  local before = current()
  local buf, row, column, line = cursor()
  local fitting, made = {}, {}
  for _, item in ipairs(items) do
    local edit = edits.from_item(item, row, column, line, client.offset_encoding)
    if edit then
      table.insert(fitting, item)
      table.insert(made, edit)
    end
  end
  if #made == 0 then
    M.hide()
    return false
  end
  shown = { buf = buf, client_id = client.id, items = fitting, edits = made, index = 1 }
  shown.several, shown.accepted = kind == INVOKED, false
  draw()
  return before ~= nil and before.text == made[1].text
end

--- Ask the server for this place.
---@param kind integer
---@param on_shown? fun(is_same: boolean) called with whether the first one was on show before
local function ask(kind, on_shown)
  cancel()
  local buf, row, column = cursor()
  local client = client_of.of(buf)
  if not client then
    return M.hide()
  end
  local place, key = client_of.place(client, buf, row, column), place_key()
  asked, last_place =
    key, { buf = buf, tick = vim.api.nvim_buf_get_changedtick(buf), row = row, column = column }
  local mine
  local sent, id = client:request('textDocument/inlineCompletion', {
    textDocument = { uri = place.uri },
    position = place.position,
    context = { triggerKind = kind },
  }, function(err, result)
    if waiting ~= mine then
      return -- a newer request was sent
    end
    waiting = nil
    if err or not is_inserting() or place_key() ~= key then
      return
    end
    local found = require('aide.json').without_nulls(result) or {}
    local is_same = receive(client, found.items or found, kind)
    if on_shown and shown then
      on_shown(is_same)
    end
  end, buf)
  mine = sent and id and { client = client, id = id } or nil
  waiting = mine
end

--- Follow the cursor: called after each change and movement in insert mode.
function M.update()
  if not is_inserting() then
    return M.leave()
  end
  if shown then
    draw()
  end
  if asked ~= place_key() and not is_menu_in_use() then
    if require('aide.config').options.automatic then
      ask(AUTOMATIC)
    else
      asked = place_key()
      cancel()
    end
  end
end

--- Insert mode ended, or the buffer was left.
function M.leave()
  cancel()
  M.hide()
  asked = nil
end

function M.hide()
  shown = nil
  ghost.clear()
end

--- Hide it until something is typed. Says whether there was something.
---@return boolean
function M.dismiss()
  local was_shown = current() ~= nil
  cancel()
  M.hide()
  asked = is_inserting() and place_key() or nil
  return was_shown
end

---@return boolean
function M.is_shown()
  return current() ~= nil
end

--- The item on show, with what made it.
---@return table?
function M.item()
  return current() and shown and shown.items[shown.index]
end

--- Ask anew at a place where the server has something new to show.
---@param place {buf: integer, tick: integer, row: integer, column: integer}
function M.show_again(place)
  if
    vim.api.nvim_get_current_buf() ~= place.buf or vim.api.nvim_buf_get_changedtick(place.buf) ~= place.tick
  then
    return
  end
  asked = nil
  if is_inserting() then
    return M.update()
  end
  local line = vim.api.nvim_buf_get_lines(place.buf, place.row, place.row + 1, false)[1] or ''
  vim.api.nvim_win_set_cursor(0, { place.row + 1, math.min(place.column, #line) })
  vim.cmd(place.column >= #line and 'startinsert!' or 'startinsert') -- entering insert mode asks
end

--- Where a command is meant: at the cursor; outside of insert mode, which moves the cursor when it ends,
--- where the last completion was asked for.
function M.place()
  local buf, row, column = cursor()
  local tick = vim.api.nvim_buf_get_changedtick(buf)
  local is_last = last_place and last_place.buf == buf and last_place.tick == tick and last_place.row == row
  if not is_inserting() and is_last then
    return last_place
  end
  return { buf = buf, tick = tick, row = row, column = column }
end

--- The server has an answer that was given up before: ask, if the user is still there.
---@param ready {uri: string, version: integer, position: table}
function M.ready(ready)
  if not is_inserting() or shown or waiting then
    return
  end
  local buf, row, column = cursor()
  local client = client_of.of(buf)
  local place = client and client_of.place(client, buf, row, column)
  local is_here = place and place.uri == ready.uri and vim.deep_equal(place.position, ready.position)
  if is_here and vim.lsp.util.buf_versions[buf] == ready.version then
    ask(AUTOMATIC)
  end
end

--- Ask once more where nothing is shown: the model is loaded now, or Aide goes on after a pause.
function M.retry()
  if is_inserting() and not shown and not waiting and require('aide.config').options.automatic then
    ask(AUTOMATIC)
  end
end

--- Show the next or previous of several; ask for some where there is one or none.
---@param step 1|-1
function M.cycle(step)
  if not is_inserting() then
    return
  end
  if not current() or not shown or not shown.several then
    return ask(INVOKED, function(is_same)
      if is_same then
        M.cycle(step)
      end
    end)
  end
  for tried = 1, #shown.items do
    local index = (shown.index - 1 + step * tried) % #shown.items + 1
    if current(index) then
      shown.index = index
      return draw()
    end
  end
end

--- Put what is on show into the buffer, or its next word or line. Says whether there was something.
---@param amount 'all'|'word'|'line'
---@return boolean
function M.accept(amount)
  local edit = current()
  if not shown or not edit then
    return false
  end
  local mine, item = shown, shown.items[shown.index]
  local part, rest = edits.cut(edit.text, amount)
  cancel()
  M.hide()
  M.insert(mine.buf, edit, part, rest == '' and edit.delete or 0)
  if item.command and not mine.accepted then
    local client = vim.lsp.get_client_by_id(mine.client_id)
    if client then
      client:exec_cmd(item.command, { bufnr = mine.buf })
    end
  end
  if rest ~= '' then
    local _, row, column, line = cursor()
    local left = { row = row, before = line:sub(1, column), after = line:sub(column + 1), text = rest }
    left.delete = edit.delete
    shown = vim.tbl_extend('force', mine, { items = { item }, edits = { left }, index = 1, accepted = true })
    shown.several = false
    asked = place_key() -- what is left was chosen: another answer must not take its place
    draw()
  end
  return true
end

--- Insert a text at the cursor, as one step of undo of its own.
---@package
---@param buf integer
---@param edit aide.Edit
---@param text string
---@param delete integer
function M.insert(buf, edit, text, delete)
  local column, lines = #edit.before, vim.split(text, '\n', { plain = true })
  vim.bo[buf].undolevels = vim.bo[buf].undolevels -- writing the option closes the step of undo
  vim.api.nvim_buf_set_text(buf, edit.row, column, edit.row, column + delete, lines)
  vim.api.nvim_win_set_cursor(0, { edit.row + #lines, (#lines == 1 and column or 0) + #lines[#lines] })
  vim.bo[buf].undolevels = vim.bo[buf].undolevels
end

return M
