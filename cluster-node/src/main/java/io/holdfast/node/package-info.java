@NullMarked
package io.holdfast.node;

import org.jspecify.annotations.NullMarked;
