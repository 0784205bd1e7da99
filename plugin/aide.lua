-- For plugin managers, which put the root of a repository on 'runtimepath': the plugin is in editors/nvim.

local path = vim.api.nvim_get_runtime_file('editors/nvim/plugin/aide.lua', false)[1]
vim.cmd.source(vim.fn.fnameescape(path)) -- it requires `aide`, which is lua/aide.lua here
