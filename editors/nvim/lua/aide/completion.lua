-- The current completion: requests it after each change, shows it, pages through candidates, and accepts it.
-- There is one request at a time; a newer one cancels the older. Only the current completion is kept, since
-- the server caches, and knows which candidate is visible. `ghost.lua` draws it and `edit.lua` splits it.

local client_of = require('aide.client')
local edits = require('aide.edit')
local ghost = require('aide.ghost')

local M = {}

local AUTOMATIC = 2 -- `InlineCompletionTriggerKind`: one completion, and others with `aide.candidate`

---@class aide.Shown
---@field buf integer
---@field client_id integer
---@field item table from the server
---@field edit aide.Edit as of its arrival
---@field index? integer its number among the candidates, once there are several
---@field count? integer
---@field accepted? boolean whether a part of it has been accepted

local shown ---@type aide.Shown?
local paging ---@type {key: string, label: string}? the candidate that is being generated
local waiting ---@type {client: vim.lsp.Client, id: integer}?
local dismissed ---@type string? the place where the user wants none
local asked ---@type string? the place of the last request
local last_place ---@type {buf: integer, tick: integer, row: integer, column: integer}?

---@return integer buf, integer row, integer column, string line
local function cursor()
  local at = vim.api.nvim_win_get_cursor(0)
  return vim.api.nvim_get_current_buf(), at[1] - 1, at[2], vim.api.nvim_get_current_line()
end

---@return boolean
local function is_inserting()
  -- A macro is the keys that were pressed: where it is executed, accepting would be a tab, or another text.
  local is_macro = vim.fn.reg_executing() ~= '' or vim.fn.reg_recording() ~= ''
  return vim.api.nvim_get_mode().mode:sub(1, 1) == 'i' and not is_macro
end

---@return string
local function place_key()
  local buf, row, column = cursor()
  return ('%d:%d:%d:%d'):format(buf, vim.api.nvim_buf_get_changedtick(buf), row, column)
end

--- Whether an entry of the popup menu is selected: then the menu has priority.
local function is_menu_in_use()
  return vim.fn.pumvisible() == 1 and vim.fn.complete_info({ 'selected' }).selected >= 0
end

--- The visible edit, adjusted to the cursor; nil if it no longer fits. Computed each time, since keys may
--- have been typed since the last event.
---@return aide.Edit?
local function current()
  local buf, row, column, line = cursor()
  if not shown or shown.buf ~= buf or not is_inserting() or is_menu_in_use() then
    return nil
  end
  local edit = shown.edit
  if row == edit.row + 1 then
    local above = vim.api.nvim_buf_get_lines(buf, edit.row, row, false)[1]
    return edits.follow_down(edit, row, column, line, above)
  end
  return edits.follow(edit, row, column, line)
end

--- Which candidate is visible, or about to be.
---@return string?
local function label()
  if not require('aide.config').options.count then
    return nil
  elseif paging and paging.key == place_key() then
    return paging.label
  end
  return shown and (shown.count or 1) > 1 and ('%d/%d'):format(shown.index, shown.count) or nil
end

local function draw()
  local edit = current()
  if shown and edit then
    return ghost.draw(shown.buf, edit, label())
  end
  M.hide()
  local text, buf, row = label(), cursor()
  if text then
    ghost.draw_label(buf, row, text)
  end
end

local function cancel()
  if waiting then
    waiting.client:cancel_request(waiting.id)
    waiting = nil
  end
end

--- Show an item of the server at the cursor.
---@param client vim.lsp.Client
---@param item? table nil: there is none
local function show(client, item)
  local buf, row, column, line = cursor()
  local edit = item and edits.from_item(item, row, column, line, client.offset_encoding)
  if not item or not edit then
    shown = nil
    return draw()
  end
  local before = current() and shown
  shown = { buf = buf, client_id = client.id, item = item, edit = edit }
  local new, old = M.facts(item), before and M.facts(before.item) or {}
  if before and new.seed == old.seed and new.candidate == old.candidate then
    shown.index, shown.count = before.index, before.count
  end
  draw()
  vim.cmd.redrawstatus() -- the state arrived before the item: only now is it visible
end

--- Request a completion at the cursor.
local function ask()
  cancel()
  local buf, row, column = cursor()
  local client = client_of.of(buf)
  if not client then
    return M.hide()
  end
  local place, key = client_of.place(client, buf, row, column), place_key()
  M.note_place()
  local mine
  local sent, id = client:request('textDocument/inlineCompletion', {
    textDocument = { uri = place.uri },
    position = place.position,
    context = { triggerKind = AUTOMATIC },
  }, function(err, result)
    if waiting ~= mine then
      return -- a newer request was sent
    end
    waiting = nil
    if err or not is_inserting() or place_key() ~= key then
      return
    end
    local found = require('aide.json').without_nulls(result) or {}
    show(client, (found.items or found)[1])
  end, buf)
  mine = sent and id and { client = client, id = id } or nil
  waiting = mine
end

--- Note where the last request was.
---@package
function M.note_place()
  local buf, row, column = cursor()
  asked = place_key()
  last_place = { buf = buf, tick = vim.api.nvim_buf_get_changedtick(buf), row = row, column = column }
end

--- What an item was generated with.
---@package
---@param item table
---@return table
function M.facts(item)
  return item.command and item.command.arguments and item.command.arguments[1] or {}
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
      ask()
    else
      asked = place_key()
      cancel()
    end
  end
end

--- Called when insert mode ends or the buffer is left.
function M.leave()
  cancel()
  paging = nil
  M.hide()
  asked = nil
end

function M.hide()
  shown = nil
  ghost.clear()
end

--- Hide the completion until something is typed. Returns whether there was one.
---@return boolean
function M.dismiss()
  local was_shown = current() ~= nil
  cancel()
  M.hide()
  -- Otherwise the next event would request it again.
  asked = is_inserting() and place_key() or nil
  dismissed = asked
  vim.cmd.redrawstatus()
  return was_shown
end

---@return boolean
function M.is_shown()
  return current() ~= nil
end

--- The visible item, with what it was generated from.
---@return table?
function M.item()
  return current() and shown and shown.item or nil
end

--- Request again at a place where the server has a new completion to show.
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
  vim.cmd(place.column >= #line and 'startinsert!' or 'startinsert') -- entering insert mode requests
end

--- The place that a command applies to: the cursor or, outside insert mode, which moves the cursor when it
--- ends, the place of the last request.
function M.place()
  local buf, row, column = cursor()
  local tick = vim.api.nvim_buf_get_changedtick(buf)
  local is_last = last_place and last_place.buf == buf and last_place.tick == tick and last_place.row == row
  if not is_inserting() and is_last then
    return last_place
  end
  return { buf = buf, tick = tick, row = row, column = column }
end

--- The server has the answer to a canceled request, or more of what is visible: request it if the user is
--- still there.
---@param ready {uri: string, version: integer, position: table, more: boolean}
function M.ready(ready)
  local key = place_key()
  local is_free = is_inserting() and not waiting and (paging or {}).key ~= key and dismissed ~= key
  if not is_free or M.is_shown() ~= (ready.more == true) then
    return
  end
  local buf, row, column = cursor()
  local client = client_of.of(buf)
  local place = client and client_of.place(client, buf, row, column)
  local is_here = place and place.uri == ready.uri and vim.deep_equal(place.position, ready.position)
  if is_here and client_of.version(buf) == ready.version then
    ask()
  end
end

--- Request again if nothing is visible: the model has loaded, or Aide has resumed.
function M.retry()
  local is_free = is_inserting() and not shown and not waiting and dismissed ~= place_key()
  if is_free and require('aide.config').options.automatic then
    ask()
  end
end

--- What the label says while the next or previous candidate is generated.
---@param step 1|-1
---@return string
local function coming(step)
  if not current() or not shown then
    return '…'
  end
  local to = (shown.index or 1) + step
  if shown.count then
    to = (to - 1) % shown.count + 1
  end
  return to < 1 and '…' or to .. '/…'
end

--- Show the answer of `aide.candidate`.
---@param client vim.lsp.Client
---@param found table
local function show_candidate(client, found)
  cancel()
  local facts = vim.deepcopy(found)
  facts.insertText, facts.range, facts.index, facts.count = nil, nil, nil, nil
  local accepted = { title = 'Aide: completion accepted', command = 'aide.accepted', arguments = { facts } }
  show(client, { insertText = found.insertText, range = found.range, command = accepted })
  if shown and (found.count or 1) > 1 then
    shown.index, shown.count = found.index + 1, found.count
  end
  draw()
end

--- Show the next or previous candidate; request one where none is visible. Pressed again while one is being
--- generated, it does not start over.
---@param step 1|-1
function M.cycle(step)
  local buf, row, column = cursor()
  local client, key = client_of.of(buf), place_key()
  if not is_inserting() or not client or (paging and paging.key == key) then
    return
  end
  local place = client_of.place(client, buf, row, column)
  local mine = { key = key, label = coming(step) }
  paging = mine
  M.note_place()
  draw()
  local arguments = { vim.tbl_extend('force', place, { step = step }) }
  client:request(
    'workspace/executeCommand',
    { command = 'aide.candidate', arguments = arguments },
    function(err, result)
      if paging ~= mine then
        return
      end
      paging = nil
      if not is_inserting() or place_key() ~= key then
        return
      end
      local found = not err and require('aide.json').without_nulls(result) or {}
      if (found.insertText or '') ~= '' then
        show_candidate(client, found)
      else
        draw()
      end
      require('aide.requests').show_message(found.message, found.reason)
    end,
    buf
  )
end

--- Insert the completion, or its next word or line. Returns whether there was one.
---@param amount 'all'|'word'|'line'
---@return boolean
function M.accept(amount)
  local edit = current()
  if not shown or not edit then
    return false
  end
  if vim.fn.pumvisible() == 1 then
    -- Its keys would put back what was typed when it was opened: so it is closed first, without a change.
    local again = ("<C-x><C-z><Cmd>lua require('aide.completion').accept('%s')<CR>"):format(amount)
    vim.api.nvim_feedkeys(vim.keycode(again), 'ni', false)
    return true
  end
  local mine, item = shown, shown.item
  local part, rest = edits.cut(edit.text, amount)
  cancel()
  M.hide()
  -- What the completion replaces goes with its last part: until then the text after the cursor stays. A
  -- bracket goes with the part that has it, so that it is never there twice.
  local closed = require('aide.closing').closed(part, edit.after:sub(1, edit.delete)) or 0
  local delete = rest == '' and edit.delete or closed
  M.insert(mine.buf, edit, part, delete)
  -- Once for each completion, though it may be accepted word by word.
  if item.command and not mine.accepted then
    local client = vim.lsp.get_client_by_id(mine.client_id)
    if client then
      client:exec_cmd(item.command, { bufnr = mine.buf })
    end
  end
  if rest ~= '' then
    local _, row, column, line = cursor()
    local left = { row = row, before = line:sub(1, column), after = line:sub(column + 1), text = rest }
    left.delete = edit.delete - delete
    shown = vim.tbl_extend('force', mine, { edit = left, accepted = true })
    asked = place_key() -- the user chose this completion: no other may replace the rest of it
    draw()
  end
  return true
end

--- Insert text at the cursor as one undo step.
---@package
---@param buf integer
---@param edit aide.Edit
---@param text string
---@param delete integer
function M.insert(buf, edit, text, delete)
  local column, lines = #edit.before, vim.split(text, '\n', { plain = true })
  vim.bo[buf].undolevels = vim.bo[buf].undolevels -- writing the option starts a new undo step
  vim.api.nvim_buf_set_text(buf, edit.row, column, edit.row, column + delete, lines)
  vim.api.nvim_win_set_cursor(0, { edit.row + #lines, (#lines == 1 and column or 0) + #lines[#lines] })
  vim.bo[buf].undolevels = vim.bo[buf].undolevels
end

return M
