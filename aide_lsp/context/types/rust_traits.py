"""Members of well-known traits of Rust: those whose implementation gives a type no others."""

OF_EVERY_TYPE = frozenset((
    "as_mut", "as_ref", "borrow", "borrow_mut", "clone", "clone_from", "clone_into", "cmp", "eq", "fmt",
    "from", "ge", "gt", "into", "le", "lt", "max", "min", "ne", "partial_cmp", "to_owned", "to_string",
    "try_from", "try_into", "type_id",
))  # fmt: skip
"""Those that a reference or a pointer to an object may have, and those that a conversion needs."""
_NONE = (
    "Copy Debug Display Eq PartialEq PartialOrd Drop Send Sync Unpin Sized UnwindSafe RefUnwindSafe From Into"
    " TryFrom TryInto AsRef AsMut ToString ToOwned Borrow BorrowMut Any Clone Binary LowerHex UpperHex Octal"
    " LowerExp UpperExp Fn FnMut FnOnce Pointer"
)
"""Traits that give no more than that, or are not called."""
_STANDARD = {
    "Add": "add", "AddAssign": "add_assign", "BitAnd": "bitand", "BitOr": "bitor", "BitXor": "bitxor",
    "BitAndAssign": "bitand_assign", "BitOrAssign": "bitor_assign", "BitXorAssign": "bitxor_assign",
    "Default": ":default", "Div": "div", "DivAssign": "div_assign", "Extend": "extend",
    "FromIterator": ":from_iter", "FromStr": ":from_str :Err",
    "Hash": "hash :hash_slice", "Index": "index", "IndexMut": "index_mut", "IntoIterator": "into_iter",
    "Mul": "mul", "MulAssign": "mul_assign", "Neg": "neg", "Not": "not", "Ord": "clamp",
    "Rem": "rem", "Shl": "shl", "Shr": "shr", "Sub": "sub", "SubAssign": "sub_assign", "Sum": ":sum",
    "Product": ":product", "Termination": "report", "Wake": "wake wake_by_ref",
    "RangeBounds": "start_bound end_bound contains",
    "Error": "source description cause provide", "StdError": "source description cause provide",
    # Of other crates; those with nothing are for types of libraries alone.
    "Serialize": "serialize", "Deserialize": ":deserialize", "DeserializeOwned": "", "Serializer": "",
    "Deserializer": "",
    "Parser": ":parse :try_parse :parse_from :try_parse_from update_from try_update_from :command"
    " :augment_args :augment_args_for_update :from_arg_matches",
    "CommandFactory": ":command :command_for_update",
    "Args": ":augment_args :augment_args_for_update :group_id :from_arg_matches",
    "Subcommand": ":augment_subcommands :has_subcommand :from_arg_matches",
    "ValueEnum": ":value_variants to_possible_value :from_str", "JsonSchema": ":schema_name :json_schema"
    " :schema_id :inline_schema", "Zeroize": "zeroize", "ZeroizeOnDrop": "", "Pod": "", "Zeroable": ":zeroed",
    "FromPyObject": ":extract :extract_bound", "IntoPyObject": "into_pyobject",
    "IntoPyObjectRef": "into_pyobject", "DynClone": "",
    "MutexExt": "", "OnceExt": "", "OnceLockExt": "", "RwLockExt": "",
    "PyAnyMethods": "", "PyDictMethods": "", "PyListMethods": "", "PyTupleMethods": "", "PyBytesMethods": "",
    "PyStringMethods": "", "PyModuleMethods": "", "PyTypeMethods": "", "PyTypeInfo": ":type_object",
    "IntoPyObjectExt": "into_py_any into_bound_py_any into_pyobject_or_pyerr",
    "IntoEnumIterator": ":iter", "EnumIter": ":iter", "EnumString": ":from_str", "EnumCount": ":COUNT",
    "Context": "", "WrapErr": "", "Itertools": "", "StreamExt": "", "TryStreamExt": "", "FutureExt": "",
    "TryFutureExt": "", "SinkExt": "", "AsyncReadExt": "", "AsyncWriteExt": "", "AsyncBufReadExt": "",
    "ParallelIterator": "", "IntoParallelIterator": "into_par_iter", "Rng": "", "Digest": "", "Datelike": "",
    "IntoParallelRefIterator": "par_iter", "Timelike": "", "OptionalExtension": "", "BufMut": "", "Buf": "",
}  # fmt: skip
_MODULES = {
    "pyo3::prelude": "into_pyobject :extract",
    "rayon::prelude": "par_iter into_par_iter par_iter_mut",
}
"""Modules all of whose traits are here."""
_TRAITS = {name: frozenset[str]() for name in _NONE.split()} | {
    name: frozenset(members.split()) for name, members in _STANDARD.items()
}
OF_THE_LANGUAGE = ("std", "core", "alloc")
"""Crates whose traits give members to no type that does not implement them."""


def known(name: str, module: str) -> frozenset[str] | None:
    """Return the members of a trait, or of what derives it; None: they are not known."""
    if name == "*":
        return frozenset(_MODULES[module].split()) if module in _MODULES else None
    return _TRAITS.get(name.rpartition(".")[2].removeprefix("std ").removeprefix("@"))
