package org.edgeseld.core

/** Numbers in row-major order. */
class Tensor(val shape: List<Int>, val data: FloatArray) {
    init {
        require(data.size == shape.fold(1, Int::times)) { "a tensor $shape holds ${shape.fold(1, Int::times)} numbers, got ${data.size}" }
    }

    /** Rows first .. last - 1 of the leading axis. */
    fun rows(first: Int, last: Int): Tensor {
        val width = data.size / maxOf(shape[0], 1)
        return Tensor(listOf(last - first) + shape.drop(1), data.copyOfRange(first * width, last * width))
    }

    companion object {
        fun zeros(shape: List<Int>): Tensor = Tensor(shape, FloatArray(shape.fold(1, Int::times)))

        /** Tensors one after the other along the leading axis. */
        fun concatenate(parts: List<Tensor>): Tensor {
            if (parts.size == 1) return parts[0]
            val data = FloatArray(parts.sumOf { it.data.size })
            var place = 0
            for (part in parts) {
                part.data.copyInto(data, place)
                place += part.data.size
            }
            return Tensor(listOf(parts.sumOf { it.shape[0] }) + parts[0].shape.drop(1), data)
        }
    }
}
