package org.edgeseld.core.bundle

import kotlinx.serialization.ExperimentalSerializationApi
import kotlinx.serialization.descriptors.SerialDescriptor
import kotlinx.serialization.descriptors.SerialKind
import kotlinx.serialization.descriptors.StructureKind
import kotlinx.serialization.descriptors.elementNames
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.edgeseld.core.Repository
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

/** docs/manifest.schema.json is made from Python's structs: Kotlin knows the same keys, the same ones may be left out, and names mean the same. */
@OptIn(ExperimentalSerializationApi::class)
class ManifestSchemaTest {
    private val schemas = Json.parseToJsonElement(Repository.manifestSchema.readText()).jsonObject.getValue("\$defs").jsonObject
    private val seen = mutableSetOf<String>()

    @Test
    fun `every key of the manifest is Python's`() {
        compare(Manifest.serializer().descriptor)
        assertEquals(schemas.keys, seen)
    }

    private fun compare(descriptor: SerialDescriptor) {
        val name = descriptor.serialName.substringAfterLast('.').removeSuffix("?")
        if (!seen.add(name)) return
        val schema = schemas.getValue(name).jsonObject
        val properties = schema.getValue("properties").jsonObject
        val required = schema["required"]?.jsonArray?.map { it.jsonPrimitive.content }?.toSet() ?: emptySet()
        assertEquals(properties.keys, descriptor.elementNames.toSet(), name)
        assertEquals(required, descriptor.elementNames.filterIndexed { index, _ -> !descriptor.isElementOptional(index) }.toSet(), name)
        descriptor.elementNames.forEachIndexed { index, key -> compareValue("$name.$key", descriptor.getElementDescriptor(index), properties.getValue(key).jsonObject) }
    }

    private fun compareValue(place: String, descriptor: SerialDescriptor, schema: JsonObject) {
        when (descriptor.kind) {
            SerialKind.ENUM -> assertEquals(names(schema), descriptor.elementNames.toSet(), place)
            StructureKind.CLASS -> compare(descriptor)
            StructureKind.LIST -> compareValue("$place[]", descriptor.getElementDescriptor(0), schema.getValue("items").jsonObject)
            StructureKind.MAP -> compareMap(place, descriptor, schema)
            else -> Unit
        }
    }

    private fun compareMap(place: String, descriptor: SerialDescriptor, schema: JsonObject) {
        schema["propertyNames"]?.let { compareValue("$place keys", descriptor.getElementDescriptor(0), it.jsonObject) }
        compareValue("$place values", descriptor.getElementDescriptor(1), schema.getValue("additionalProperties").jsonObject)
    }

    /** The values of a Literal. */
    private fun names(schema: JsonObject): Set<String> = (schema.getValue("enum") as JsonArray).map { it.jsonPrimitive.content }.toSet()
}
