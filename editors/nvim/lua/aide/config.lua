-- The options of the plugin. The comments here become their section of the help (`scripts/options.lua`).
-- How completions are generated is not an option of the plugin but a setting of the server, see `settings`.

local M = {}

---@class aide.Keys
M.keys = {
  -- Accept the complete text. When there is none, the key does what it did before.
  accept = '<Tab>', ---@type string|false
  -- Accept the next word.
  accept_word = '<C-Right>', ---@type string|false
  -- Accept the next line.
  accept_line = '<C-l>', ---@type string|false
  -- Show the next candidate. Where no completion is visible, request one.
  next = '<M-n>', ---@type string|false
  -- Show the previous candidate.
  previous = '<M-p>', ---@type string|false
  -- Hide the completion until you type something.
  dismiss = '<C-]>', ---@type string|false
}

---@class aide.Options
M.defaults = {
  -- Start the server for the files you open.
  enabled = true, ---@type boolean
  -- The server's command line; nil means `{ 'aide-lsp' }`.
  cmd = nil, ---@type string[]?
  -- Settings of the server, without the `aide.` prefix of other editors: `{ topK = 40, seed = 7 }`.
  -- With `engine = 'shared'`, one process runs the model for all your Neovims and other editors,
  -- which saves memory.
  settings = {}, ---@type table<string, any>
  -- Show completions while you type. false: only on request, with `<Plug>(aide-next)`.
  automatic = true, ---@type boolean
  -- Show which candidate is visible, such as `2/3`, at the end of the line.
  count = true, ---@type boolean
  -- Keys in insert mode, in buffers where Aide is active; false maps no key.
  keys = M.keys, ---@type aide.Keys
}

---@type aide.Options
M.options = vim.deepcopy(M.defaults)

--- Whether the user chose a key; the others are only taken where nothing else is mapped to them.
---@type table<string, boolean>
M.is_chosen = {}

--- Take the user's options. Unknown ones are reported and ignored.
---@param options? table
function M.merge(options)
  local known = vim.deepcopy(options or {})
  for name in pairs(known) do
    if M.defaults[name] == nil and name ~= 'cmd' then
      known[name] = nil
      vim.notify(('Aide has no option "%s". See :help aide-options.'):format(name), vim.log.levels.WARN)
    end
  end
  M.options = vim.tbl_deep_extend('force', vim.deepcopy(M.defaults), known)
  for name in pairs(known.keys or {}) do
    M.is_chosen[name] = true
  end
end

return M
