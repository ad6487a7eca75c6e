"""Makes the small files that the readers of `examples/signals` are tested on.

python -m venv env && env/bin/pip install numpy scipy && env/bin/python make.py
"""
import numpy as np
import scipy.io as sio

data = np.arange(24, dtype=float).reshape(4, 6)  # 4 samples of 6 signals
labels = np.array([[1, 1, 2, 2, 3, 3]])

sio.savemat("plain.mat", {"data": data, "labels": labels.astype(float)})
sio.savemat("compressed.mat", {"data": data, "labels": labels.T}, do_compression=True)
sio.savemat("single.mat", {"data": data.astype("float32"), "labels": labels.astype("uint8")})
sio.savemat("int16.mat", {"data": data.astype("int16"), "labels": labels.astype("int32") - 1})
sio.savemat("one_hot.mat", {"data": data, "labels": np.eye(3)[labels[0] - 1]})
sio.savemat("no_labels.mat", {"data": data, "other": labels})
sio.savemat("wrong_shape.mat", {"data": data, "labels": labels[:, :5]})
sio.savemat("text.mat", {"data": "a text", "labels": labels})
sio.savemat("cube.mat", {"data": np.zeros((2, 3, 6)), "labels": labels})
sio.savemat("not_finite.mat", {"data": np.where(data == 7, np.nan, data), "labels": labels})
whole = open("plain.mat", "rb").read()
open("truncated.mat", "wb").write(whole[: len(whole) // 2])
open("foreign.mat", "wb").write(b"This is no MATLAB file at all, but it is long enough to look at." * 4)

np.savez("plain.npz", x=data.T, y=labels[0])
np.savez_compressed("compressed.npz", x=data.T[:, :, None].astype("float32"), y=np.eye(3, dtype="int64")[labels[0] - 1])
np.savez("no_y.npz", x=data.T)
whole = open("plain.npz", "rb").read()
open("truncated.npz", "wb").write(whole[: len(whole) // 2])

rows = np.hstack([labels.T, data.T])
np.savetxt("plain.csv", rows, delimiter=",", fmt="%g")
np.savetxt("header.csv", rows, delimiter=",", fmt="%g", header="label,a,b,c,d", comments="")
open("ragged.csv", "w").write("1,2,3\n2,3\n")
open("words.csv", "w").write("1,2,3\n2,x,4\n")
