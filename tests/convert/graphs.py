"""Graphs that keep weights in other files, in every place of a graph where weights can be."""

import onnx
from onnx import TensorProto, helper


def external(location: str, name: str = "weights") -> TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[2], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    tensor.external_data.add(key="offset", value="0")
    return tensor


def graph_with_weights_in(*locations: str) -> bytes:
    """A graph with one tensor for each location."""
    tensors = [external(location, f"weights{number}") for number, location in enumerate(locations)]
    return helper.make_model(helper.make_graph([], "graph", [], [], tensors)).SerializeToString()


def hidden_in(place: str, location: str) -> bytes:
    """A graph whose only external tensor is somewhere else than among the weights."""
    tensor = external(location)
    constant = helper.make_node("Constant", [], ["c"], value=tensor)
    model = helper.make_model(helper.make_graph([], "graph", [], []))
    inner = helper.make_graph([constant], "inner", [], [])
    if place == "node":
        model.graph.node.append(constant)
    elif place == "subgraph":
        model.graph.node.append(helper.make_node("If", ["b"], ["y"], then_branch=inner, else_branch=inner))
    elif place == "function":
        opset = helper.make_opsetid("", 20)
        model.functions.append(helper.make_function("d", "f", [], ["c"], [constant], [opset]))
    elif place == "list":
        model.graph.node.append(helper.make_node("X", [], ["y"], several=[tensor]))
    elif place == "sparse":
        sparse = onnx.SparseTensorProto(values=tensor, dims=[2])
        model.graph.sparse_initializer.append(sparse)
    elif place == "training":
        model.training_info.add().initialization.initializer.append(tensor)
    else:
        raise ValueError(place)
    return model.SerializeToString()
