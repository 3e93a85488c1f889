/** The chunk store in a folder: append-only packs with an index each. Start at FolderChunkStore. */
@NullMarked
package io.holdfast.chunk.folder;

import org.jspecify.annotations.NullMarked;
