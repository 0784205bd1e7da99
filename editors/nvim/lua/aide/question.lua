-- Asks the user to choose, at a moment at which a question does not get in the way.

local M = {}

M.calm_ms = 1500 -- how long no key was pressed when a question comes that nobody waits for

--- Let the user choose; nil is given if they do not.
---@param items any[]
---@param prompt string
---@param format_item fun(item: any): string
---@param on_choice fun(item: any)
function M.ask(items, prompt, format_item, on_choice)
  local source = debug.getinfo(vim.ui.select, 'S').source
  local is_own = source == '?' or vim.startswith(source, '@vim/') -- Neovim breaks long lines within words
  prompt = is_own and table.concat(require('aide.message').wrap(prompt, vim.o.columns - 1), '\n') or prompt
  vim.ui.select(items, { prompt = prompt, format_item = format_item }, function(item)
    vim.cmd.redraw() -- Neovim's own list is a message of several lines: one more would ask for a key press
    on_choice(item)
  end)
end

--- Whether the user works on this: not only a Neovim that was just started.
---@param buf integer
---@return boolean
local function is_edited(buf)
  local is_begun = vim.api.nvim_buf_get_name(buf) ~= '' or vim.bo[buf].modified
  return is_begun and require('aide.client').is_eligible(buf)
end

--- Call a function once the user has stopped for a moment, in normal mode and in a file.
---@param act fun()
---@param is_over fun(): boolean whether there is nothing to do any more
function M.when_calm(act, is_over)
  local last, space = vim.uv.now(), vim.api.nvim_create_namespace('aide-calm')
  local timer = assert(vim.uv.new_timer())
  vim.on_key(function()
    last = vim.uv.now()
  end, space)
  timer:start(
    200,
    200,
    vim.schedule_wrap(function()
      local is_calm = vim.uv.now() - last >= M.calm_ms
        and vim.v.vim_did_enter == 1
        and vim.api.nvim_get_mode().mode == 'n'
        and is_edited(vim.api.nvim_get_current_buf())
      if timer:is_closing() or not (is_calm or is_over()) then
        return
      end
      timer:close()
      vim.on_key(nil, space)
      if not is_over() then
        act()
      end
    end)
  )
end

--- Answer a `window/showMessageRequest`: Neovim's own handler would interrupt the user in insert mode.
---@param request {message: string, actions?: {title: string}[]}
---@return any the chosen action
function M.answer(request)
  local answering = coroutine.running()
  M.when_calm(function()
    M.ask(request.actions or {}, request.message, function(action)
      return action.title
    end, function(action)
      vim.schedule(function() -- the list may answer before the request waits
        coroutine.resume(answering, action or vim.NIL)
      end)
    end)
  end, function()
    return false
  end)
  return coroutine.yield()
end

return M
