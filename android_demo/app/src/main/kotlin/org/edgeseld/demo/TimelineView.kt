package org.edgeseld.demo

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.Path
import android.util.AttributeSet
import android.util.TypedValue
import android.view.View
import org.edgeseld.core.LABEL_FRAMES_PER_S
import org.edgeseld.core.drawing.TIMELINE_FRAMES
import org.edgeseld.core.drawing.Timeline
import org.edgeseld.core.drawing.TimelineRow

private const val MOST_ROWS = 5
private const val FEWEST_ROWS = 3
private const val SHORTEST_FRAMES = 10

/** Activity of the loudest classes over time, with a band of one standard deviation, and a line where the sound is now. */
class TimelineView(context: Context, attributes: AttributeSet? = null) : View(context, attributes) {
    private val words = Wording(resources)
    private val text = Paint(Paint.ANTI_ALIAS_FLAG).apply { textSize = sp(13f); color = context.getColor(R.color.ink) }
    private val grid = Paint().apply { color = context.getColor(R.color.grid); strokeWidth = dp(1f) }
    private val now = Paint().apply { color = context.getColor(R.color.faint); strokeWidth = dp(1.5f) }
    private val band = Paint(Paint.ANTI_ALIAS_FLAG)
    private val line = Paint(Paint.ANTI_ALIAS_FLAG).apply { style = Paint.Style.STROKE; strokeWidth = dp(2f) }
    private val path = Path()
    private var rows = emptyList<TimelineRow>()
    private var shown = Timeline.empty(emptyList())
    private var playedFrame = 0

    /** Shows a timeline, and the frame that is heard now. */
    fun show(timeline: Timeline, played: Int) {
        if (timeline !== shown || contentDescription == null) {
            shown = timeline
            val before = lanes()
            rows = timeline.rows(MOST_ROWS)
            val loudest = rows.maxByOrNull { it.mean.maxOrNull() ?: 0f }?.let { words.className(it.className) }
            contentDescription = resources.getString(R.string.timeline_says, loudest ?: resources.getString(R.string.silent))
            if (lanes() != before) requestLayout()
        }
        playedFrame = played
        invalidate()
    }

    override fun onMeasure(widthSpec: Int, heightSpec: Int) =
        setMeasuredDimension(MeasureSpec.getSize(widthSpec), (lanes() * rowHeight() + text.textSize * 1.5f).toInt())

    override fun onDraw(canvas: Canvas) {
        rows.forEachIndexed { index, row -> drawRow(canvas, row, index * rowHeight()) }
        if (shown.frames > 0) {
            val x = placeOf(playedFrame - shown.firstFrame)
            canvas.drawLine(x, 0f, x, lanes() * rowHeight(), now)
            drawSeconds(canvas)
        }
    }

    private fun drawRow(canvas: Canvas, row: TimelineRow, top: Float) {
        val base = top + rowHeight() - dp(2f)
        canvas.drawLine(0f, base, width.toFloat(), base, grid)
        val height = rowHeight() - text.textSize * 1.3f
        fun y(value: Float) = base - value * height
        band.color = withOpacity(classColour(context, row.colour), 0.3)
        line.color = classColour(context, row.colour)
        path.rewind()
        path.moveTo(placeOf(0), y(row.high.firstOrNull() ?: 0f))
        for (frame in row.high.indices) path.lineTo(placeOf(frame), y(row.high[frame]))
        for (frame in row.low.indices.reversed()) path.lineTo(placeOf(frame), y(row.low[frame]))
        canvas.drawPath(path, band)
        path.rewind()
        for (frame in row.mean.indices) if (frame == 0) path.moveTo(placeOf(0), y(row.mean[0])) else path.lineTo(placeOf(frame), y(row.mean[frame]))
        canvas.drawPath(path, line)
        path.lineTo(placeOf(row.mean.size - 1), base)
        path.lineTo(0f, base)
        band.color = withOpacity(classColour(context, row.colour), 0.12)
        canvas.drawPath(path, band)
        canvas.drawText(words.className(row.className), 0f, top + text.textSize, text)
    }

    private fun drawSeconds(canvas: Canvas) {
        val step = if (span() > 20 * LABEL_FRAMES_PER_S) 10 else 2
        val firstS = (shown.firstFrame + LABEL_FRAMES_PER_S - 1) / LABEL_FRAMES_PER_S
        for (second in firstS..shown.lastFrame / LABEL_FRAMES_PER_S) {
            if (second % step != 0) continue
            val label = resources.getString(R.string.second, second)
            val x = placeOf(second * LABEL_FRAMES_PER_S - shown.firstFrame)
            if (x + text.measureText(label) <= width) canvas.drawText(label, x, lanes() * rowHeight() + text.textSize * 1.2f, text)
        }
    }

    /** Rows on the screen; a few stay free, so that the first sounds do not move what lies below. */
    private fun lanes(): Int = rows.size.coerceAtLeast(FEWEST_ROWS)

    private fun span(): Int = shown.frames.coerceIn(SHORTEST_FRAMES, TIMELINE_FRAMES)

    private fun placeOf(frame: Int): Float = width * frame.toFloat() / (span() - 1)

    private fun rowHeight(): Float = dp(22f) + text.textSize * 1.3f

    private fun dp(value: Float) = TypedValue.applyDimension(TypedValue.COMPLEX_UNIT_DIP, value, resources.displayMetrics)

    private fun sp(value: Float) = TypedValue.applyDimension(TypedValue.COMPLEX_UNIT_SP, value, resources.displayMetrics)
}
