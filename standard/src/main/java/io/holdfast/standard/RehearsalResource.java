package io.holdfast.standard;

import java.util.Map;
import java.util.UUID;

/**
 * The typed view of a resource of type {@code rehearsal}: the report of one rehearsal, kept as evidence.
 *
 * @param name unique: when it began and where, {@code 2026-11-22T03:00:00Z d1}
 * @param verdict {@code PASSED}, {@code GAPS} or {@code FAILED}
 * @param report everything that was measured, as one JSON object
 * @param text the same for people, a page
 */
public record RehearsalResource(String name, String verdict, String report, String text) {
    /** The largest report and text together, in characters. */
    public static final int MAX_CHARS = 1 << 19;

    /** Checks every field. */
    public RehearsalResource {
        ResourceInfo.require("rehearsal name", name);
        ResourceInfo.require("rehearsal verdict", verdict);
        if (report.length() + text.length() > MAX_CHARS) {
            throw new FormatException(
                    "rehearsal report",
                    report.length() + text.length() + " characters",
                    0,
                    "at most " + MAX_CHARS);
        }
    }

    /** Reads a resource. @throws FormatException naming the resource and the key */
    public static RehearsalResource of(Resource resource) {
        ResourceInfo info = ResourceInfo.of(resource, Resource.Type.REHEARSAL);
        return new RehearsalResource(
                resource.name(), info.text("verdict"), info.text("report"), info.text("text"));
    }

    /** The resource of this view. */
    public Resource toResource(UUID id) {
        return ResourceInfo.resource(
                id,
                Resource.Type.REHEARSAL,
                name,
                Map.of("verdict", verdict, "report", report, "text", text));
    }
}
