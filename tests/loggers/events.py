"""Prints as JSON what TensorBoard reads from a folder of event files."""

import json
import sys

from tensorboard.backend.event_processing import event_accumulator
from tensorboard.plugins.hparams import metadata

reader = event_accumulator.EventAccumulator(sys.argv[1], size_guidance=dict.fromkeys(event_accumulator.DEFAULT_SIZE_GUIDANCE, 0))
reader.Reload()
tags = reader.Tags()


def histogram(event):
    value = event.histogram_value
    return {"step": event.step, "min": value.min, "max": value.max, "num": value.num, "sum": value.sum,
            "sum_squares": value.sum_squares, "limits": list(value.bucket_limit), "counts": list(value.bucket)}


def image(event):
    return {"step": event.step, "width": event.width, "height": event.height, "png": event.encoded_image_string[:8].hex()}


def hparams():
    """What the HPARAMS tab has of the run."""
    try:
        contents = reader.PluginTagToContent(metadata.PLUGIN_NAME)
    except KeyError:
        return None
    started = metadata.parse_session_start_info_plugin_data(contents[metadata.SESSION_START_INFO_TAG]).hparams
    ended = metadata.parse_session_end_info_plugin_data(contents[metadata.SESSION_END_INFO_TAG])
    return {"values": {name: getattr(value, value.WhichOneof("kind")) for name, value in started.items()}, "status": ended.status}


print(json.dumps({
    "scalars": {tag: [[event.step, event.value] for event in reader.Scalars(tag)] for tag in tags["scalars"]},
    "histograms": {tag: [histogram(event) for event in reader.Histograms(tag)] for tag in tags["histograms"]},
    "images": {tag: [image(event) for event in reader.Images(tag)] for tag in tags["images"]},
    "texts": {tag: [[event.step, event.tensor_proto.string_val[0].decode()] for event in reader.Tensors(tag)]
              for tag in tags["tensors"] if tag.endswith("/text_summary")},
    "hparams": hparams(),
}))
