package org.edgeseld.demo

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.RadialGradient
import android.graphics.RectF
import android.graphics.Shader
import android.util.AttributeSet
import android.util.TypedValue
import android.view.View
import kotlin.math.cos
import kotlin.math.min
import org.edgeseld.core.drawing.RadarMark

private val RING_ELEVATIONS_DEG = listOf(0, 30, 60)

/** Directions seen from above: ahead is up; the rim is the horizon, the centre straight above or below; sectors are spreads. */
class RadarView(context: Context, attributes: AttributeSet? = null) : View(context, attributes) {
    private val words = Wording(resources)
    private val line = Paint(Paint.ANTI_ALIAS_FLAG).apply { style = Paint.Style.STROKE; strokeWidth = dp(1f); color = context.getColor(R.color.grid) }
    private val fill = Paint(Paint.ANTI_ALIAS_FLAG)
    private val beam = Paint(Paint.ANTI_ALIAS_FLAG)
    private val text = Paint(Paint.ANTI_ALIAS_FLAG).apply { textSize = sp(14f); color = context.getColor(R.color.ink) }
    private val small = Paint(text).apply { textSize = sp(11f); color = context.getColor(R.color.faint) }
    private val halo = Paint(text).apply { style = Paint.Style.STROKE; strokeWidth = dp(3f); color = context.getColor(R.color.background) }
    private val sector = RectF()

    var marks: List<RadarMark> = emptyList()
        set(value) {
            if (field == value && contentDescription != null) return
            field = value
            contentDescription = words.radar(value)
            invalidate()
        }

    init {
        marks = emptyList()
    }

    override fun onMeasure(widthSpec: Int, heightSpec: Int) {
        val width = MeasureSpec.getSize(widthSpec)
        val height = if (MeasureSpec.getMode(heightSpec) == MeasureSpec.EXACTLY) MeasureSpec.getSize(heightSpec) else min(width, dp(360f).toInt())
        setMeasuredDimension(width, height)
    }

    override fun onDraw(canvas: Canvas) {
        val radius = min(width, height) / 2f - text.textSize * 1.6f
        canvas.save()
        canvas.translate(width / 2f, height / 2f)
        drawGrid(canvas, radius)
        for (mark in marks) drawSector(canvas, radius, mark)
        for (mark in marks) drawMark(canvas, radius, mark)
        canvas.restore()
    }

    private fun drawGrid(canvas: Canvas, radius: Float) {
        for (elevationDeg in RING_ELEVATIONS_DEG) {
            val ring = radius * cos(Math.toRadians(elevationDeg.toDouble())).toFloat()
            canvas.drawCircle(0f, 0f, ring, line)
            if (elevationDeg > 0) canvas.drawText(resources.getString(R.string.elevation, elevationDeg), dp(3f), ring - dp(3f), small)
        }
        canvas.drawLine(-radius, 0f, radius, 0f, line)
        canvas.drawLine(0f, -radius, 0f, radius, line)
        val front = resources.getString(R.string.front)
        canvas.drawText(front, -text.measureText(front) / 2, -radius - text.textSize * 0.4f, text)
    }

    private fun drawSector(canvas: Canvas, radius: Float, mark: RadarMark) {
        if (!mark.spreadKnown) return
        sector.set(-radius, -radius, radius, radius)
        val colour = classColour(context, mark.colour)
        val rim = withOpacity(colour, 0.2 + 0.3 * mark.strength)
        beam.shader = RadialGradient(0f, 0f, radius, withOpacity(colour, 0.05), rim, Shader.TileMode.CLAMP)
        canvas.drawArc(sector, mark.sectorStartDeg.toFloat(), 2 * mark.spreadDeg.toFloat(), true, beam)
    }

    private fun drawMark(canvas: Canvas, radius: Float, mark: RadarMark) {
        val x = (radius * mark.x).toFloat()
        val y = (radius * mark.y).toFloat()
        fill.color = classColour(context, mark.colour)
        canvas.drawCircle(x, y, dp(4f + 6f * mark.strength.toFloat()), fill)
        val name = words.className(mark.className)
        val width = text.measureText(name)
        // Names stay inside the view, on the side of the mark that has room.
        val start = if (x + dp(14f) + width > this.width / 2f) x - dp(14f) - width else x + dp(14f)
        val left = start.coerceAtMost(this.width / 2f - width).coerceAtLeast(-this.width / 2f)
        canvas.drawText(name, left, y + text.textSize / 3, halo)
        canvas.drawText(name, left, y + text.textSize / 3, text)
    }

    private fun dp(value: Float) = TypedValue.applyDimension(TypedValue.COMPLEX_UNIT_DIP, value, resources.displayMetrics)

    private fun sp(value: Float) = TypedValue.applyDimension(TypedValue.COMPLEX_UNIT_SP, value, resources.displayMetrics)
}
