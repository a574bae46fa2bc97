package org.edgeseld.demo

import android.content.Context
import android.graphics.Typeface
import android.text.SpannableStringBuilder
import android.text.Spanned
import android.text.style.ForegroundColorSpan
import android.text.style.RelativeSizeSpan
import android.text.style.StyleSpan
import kotlin.math.roundToInt
import org.edgeseld.core.drawing.meanDirection
import org.edgeseld.core.tracking.SeldEvent
import org.edgeseld.core.tracking.anglesDeg

private const val MOST_ROWS = 12
private const val DOT = "● "
private const val SMALL = 0.875f

/** Height of the empty line between two events. */
private const val GAP = 0.4f

/** The newest events, two lines each: class and score behind a dot of the class's colour, then time and direction. */
fun eventRows(context: Context, words: Wording, events: List<SeldEvent>, classes: List<String>): CharSequence {
    val rows = SpannableStringBuilder()
    for (event in events.takeLast(MOST_ROWS)) {
        if (rows.isNotEmpty()) rows.append("\n", RelativeSizeSpan(GAP), Spanned.SPAN_EXCLUSIVE_EXCLUSIVE)
        val colour = classColour(context, classes.indexOf(event.className))
        rows.append(DOT, ForegroundColorSpan(colour), Spanned.SPAN_EXCLUSIVE_EXCLUSIVE)
        rows.append(words.className(event.className), StyleSpan(Typeface.BOLD), Spanned.SPAN_EXCLUSIVE_EXCLUSIVE)
        rows.append("  ").append(score(context, event)).append("\n")
        val start = rows.length
        rows.append(where(context, words, event)).append("\n")
        rows.setSpan(ForegroundColorSpan(context.getColor(R.color.faint)), start, rows.length, Spanned.SPAN_EXCLUSIVE_EXCLUSIVE)
        rows.setSpan(RelativeSizeSpan(SMALL), start, rows.length, Spanned.SPAN_EXCLUSIVE_EXCLUSIVE)
    }
    return rows.trimEnd()
}

private fun score(context: Context, event: SeldEvent): String {
    val score = context.getString(R.string.event_score, (100 * event.score).roundToInt())
    val sure = event.uncertainty ?: return score
    return "$score ${context.getString(R.string.event_sure, (100 * sure.activityStd).roundToInt())}"
}

private fun where(context: Context, words: Wording, event: SeldEvent): String {
    val direction = meanDirection(event)?.let(::anglesDeg)?.let { (azimuth, elevation) -> words.direction(azimuth, elevation) } ?: ""
    return context.getString(R.string.event_where, event.onsetS, event.offsetS, direction)
}
