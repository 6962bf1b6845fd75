/* fuzz_type.c: any text is a type, whose own text is that type again, or is refused with a
   sentence. */
#include "leat/type.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    if (!text) return 0;
    if (size) memcpy(text, data, size);
    text[size] = 0;
    leat_error err = {.status = LEAT_OK};
    const leat_type *type = leat_type_parse(text, &err);
    free(text);
    if (type ? leat_type_parse(type->text, NULL) != type : err.status >= 0 || !err.text[0]) abort();
    return 0;
}
