-- For plugin managers, which put the root of a repository on 'runtimepath': the plugin is in editors/nvim.

local here = vim.fs.abspath(debug.getinfo(1, 'S').source:sub(2))
local plugin = vim.fs.joinpath(vim.fs.dirname(vim.fs.dirname(here)), 'editors', 'nvim')

-- First: what the user writes in `lsp/aide.lua` comes later, and so wins.
vim.opt.runtimepath:prepend(plugin)
return dofile(vim.fs.joinpath(plugin, 'lua', 'aide', 'init.lua'))
