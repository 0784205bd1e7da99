-- The keys in insert mode. When there is no completion, a key does what it would do without Aide: the user's
-- own mapping, Neovim's, or the key itself. A default key never replaces a mapping, except for accepting.

local M = {}

local FALLBACK = '<Plug>(aide-fallback)'
local AMOUNTS = { accept = 'all', accept_word = 'word', accept_line = 'line' }
local STEPS = { next = 1, previous = -1 }

--- Map the keys in a buffer.
---@param buf integer
function M.map(buf)
  for name, key in pairs(require('aide.config').options.keys) do
    if key and not vim.b[buf]['aide_' .. name] then
      vim.b[buf]['aide_' .. name] = true
      local own = M.find(vim.api.nvim_buf_get_keymap(buf, 'i'), key)
      -- Not an `expr` mapping: Neovim may evaluate those before the previous key is in the buffer.
      vim.keymap.set('i', key, function()
        M.press(name, key, own)
      end, { buffer = buf, desc = 'Aide: ' .. name:gsub('_', ' ') })
    end
  end
end

--- Handle a key.
---@package
---@param name string
---@param key string
---@param own? table the buffer's mapping that ours replaced
function M.press(name, key, own)
  -- Looked up only now: other plugins may have mapped the key in the meantime.
  local other = own or M.find(vim.api.nvim_get_keymap('i'), key)
  local has_priority = name == 'accept' or require('aide.config').is_chosen[name] or not other
  if has_priority and M.act(name) then
    return
  elseif not other and key:lower() == '<c-l>' and vim.fn.pumvisible() == 0 then
    return -- Neovim would insert a form feed, for a key pressed a moment too late
  end
  M.set_fallback(other, key)
  -- `m`: it is a mapping. `i`: before the keys that are already typed.
  vim.api.nvim_feedkeys(vim.keycode(FALLBACK), 'mi', false)
end

--- Do what a key is for; return false if there is no completion to do it with.
---@package
---@param name string
---@return boolean
function M.act(name)
  local completion = require('aide.completion')
  if STEPS[name] then
    completion.cycle(STEPS[name])
    return true
  elseif name == 'dismiss' then
    return completion.dismiss()
  end
  return completion.accept(AMOUNTS[name])
end

--- Find the mapping of a key.
---@package
function M.find(maps, key)
  local raw = vim.keycode(key)
  for _, map in ipairs(maps) do
    if vim.keycode(map.lhs) == raw or map.lhsraw == raw or map.lhsrawalt == raw then
      return map
    end
  end
end

--- Give another name to the mapping that would apply without Aide.
---@package
function M.set_fallback(map, key)
  if not map then
    vim.keymap.set('i', FALLBACK, key, { remap = false })
    return
  end
  local renamed = vim.tbl_extend('force', map, { lhs = FALLBACK, lhsraw = vim.keycode(FALLBACK), buffer = 0 })
  renamed.lhsrawalt = nil
  vim.fn.mapset('i', false, renamed)
end

return M
