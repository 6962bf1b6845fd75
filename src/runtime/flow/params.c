/* params.c: see params.h. On the wire: varint count, then per argument its name as a blob, u8 kind,
   content: a number in 8 bytes, a text, bytes or a list as one value (codec.h), a function as role,
   name, language and spec. Pointers and functions in C have no wire form: what has one of them
   stays in its process. */
#include "runtime/flow/params.h"

#include "runtime/base/alloc.h"
#include "runtime/data/codec.h"

static const leat_param *find_param(const leat_operator *op, const char *name) {
    for (const leat_param *p = op->params; p && p->name; p++)
        if (strcmp(p->name, name) == 0) return p;
    return NULL;
}

static const leat_arg *find_arg(const leati_args *args, const char *name) {
    for (size_t i = 0; i < args->count; i++)
        if (strcmp(args->items[i].name, name) == 0) return &args->items[i];
    return NULL;
}

/* --- checking and copying --------------------------------------------------------------------- */

/* A list may come as bytes: values in wire form, which the subtask decodes. */
static bool kind_fits(const leat_param *p, const leat_arg *a) {
    return p->kind == a->kind || (p->kind == LEAT_PARAM_LIST && a->kind == LEAT_PARAM_BYTES);
}

static bool is_builtin(const leat_function *f) {
    return f->language && strcmp(f->language, LEAT_BUILTIN) == 0;
}

/* Makes it once, which tells what is wrong with its name or numbers. */
static leat_status check_builtin(const leat_param *p, const leat_function *f, leat_error *err) {
    leat_function made = leat_function_of(p->role, NULL);
    made.spec = f->spec;
    made.spec_size = f->spec_size;
    leat_status status = leat_builtin_resolve(&made, err);
    if (status >= 0) made.free(made.arg);
    return status;
}

static leat_status check_function(const leat_param *p, const leat_arg *a, leat_error *err) {
    const leat_function *f = a->as.function;
    leat_role role = f ? f->role : LEAT_ROLE_NONE;
    if (f && is_builtin(f)) return check_builtin(p, f, err);
    if (f && f->language) return LEAT_OK; /* plays whatever role it is given for */
    if (f && role == p->role && f->call.map) return LEAT_OK;
    return leat_error_set(err, LEAT_E_ARGUMENT, p->name,
                          "a %s function is needed and a %s function was given",
                          leat_role_name(p->role), f ? leat_role_name(role) : "NULL");
}

static leat_status check_arg(const leat_operator *op, const leat_arg *a, leat_error *err) {
    const leat_param *p = find_param(op, a->name);
    if (!p)
        return leat_error_set(err, LEAT_E_ARGUMENT, op->name, "there is no parameter '%s'",
                              a->name);
    if (!kind_fits(p, a))
        return leat_error_set(err, LEAT_E_ARGUMENT, op->name,
                              "parameter '%s' was given in another kind than it has", a->name);
    return p->kind == LEAT_PARAM_FUNCTION ? check_function(p, a, err) : LEAT_OK;
}

static leat_status check(const leat_operator *op, const leat_arg *args, size_t count,
                         leat_error *err) {
    leati_args given = {.items = (leat_arg *)(uintptr_t)args, .count = count};
    leat_status status = LEAT_OK;
    for (size_t i = 0; i < count && status >= 0; i++) status = check_arg(op, &args[i], err);
    for (const leat_param *p = op->params; p && p->name && status >= 0; p++)
        if (p->required && !find_arg(&given, p->name))
            status = leat_error_set(err, LEAT_E_ARGUMENT, op->name, "parameter '%s' is missing",
                                    p->name);
    return status;
}

static void *copy_bytes(leati_arena *a, const void *bytes, size_t size) {
    char *copy = leati_arena_alloc(a, size + 1);
    if (!copy) return NULL;
    if (size) memcpy(copy, bytes, size);
    copy[size] = 0;
    return copy;
}

static const char *copy_text(leati_arena *a, const char *text) {
    return text ? copy_bytes(a, text, strlen(text)) : NULL;
}

static leat_status copy_function(leati_arena *a, const leat_param *p, leat_arg *arg) {
    leat_function *f = leati_arena_alloc(a, sizeof *f);
    if (!f) return LEAT_E_NOMEM;
    size_t given = arg->as.function->size; /* of an older header: it ends earlier */
    *f = leat_function_of(p->role, NULL);
    memcpy(f, arg->as.function, given && given < sizeof *f ? given : sizeof *f);
    f->size = sizeof *f;
    f->role = p->role;
    f->name = copy_text(a, f->name);
    if (f->language) {
        f->language = copy_text(a, f->language);
        f->spec = copy_bytes(a, f->spec, f->spec_size);
        if (!f->language || !f->spec) return LEAT_E_NOMEM;
    }
    arg->as.function = f;
    return LEAT_OK;
}

static leat_status copy_value(leati_arena *a, leat_arg *arg) {
    leat_value *v = leati_arena_alloc(a, sizeof *v);
    if (!v) return LEAT_E_NOMEM;
    leat_status status = leati_value_copy(arg->as.value, a, v);
    arg->as.value = v;
    return status;
}

static leat_status copy_arg(leati_arena *a, const leat_operator *op, leat_arg *arg) {
    const leat_param *p = find_param(op, arg->name);
    arg->name = p->name;
    switch (arg->kind) {
    case LEAT_PARAM_STRING: {
        const char *text = copy_text(a, arg->as.string);
        if (arg->as.string && !text) return LEAT_E_NOMEM;
        arg->as.string = text;
        return LEAT_OK;
    }
    case LEAT_PARAM_BYTES:
    case LEAT_PARAM_LIST: return copy_value(a, arg);
    case LEAT_PARAM_FUNCTION: return copy_function(a, p, arg);
    default: return LEAT_OK;
    }
}

/* Functions of Leat's own are made for the time of the check. */
static leat_function *builtin_at(const leat_operator *op, void *self, const leat_arg *a) {
    const leat_param *p = find_param(op, a->name);
    if (a->kind != LEAT_PARAM_FUNCTION || !is_builtin(a->as.function)) return NULL;
    return (leat_function *)(void *)((char *)self + p->offset);
}

/* Do the arguments fit together? */
static leat_status check_together(leati_args *args, const leat_operator *op, leat_error *err) {
    if (!op->check) return LEAT_OK;
    void *self = leati_zalloc(op->self_size);
    size_t made = 0;
    leat_status status = self ? leati_args_fill(args, op, self, 0, &args->arena) : LEAT_E_NOMEM;
    if (status < 0) leat_error_set(err, status, op->name, "no memory for the arguments");
    for (; made < args->count && status >= 0; made++) {
        leat_function *f = builtin_at(op, self, &args->items[made]);
        if (f) status = leat_builtin_resolve(f, err);
        if (status < 0) break;
    }
    if (status >= 0) status = op->check(self, err);
    while (made-- > 0) {
        leat_function *f = builtin_at(op, self, &args->items[made]);
        if (f) f->free(f->arg);
    }
    leati_free(self);
    return status;
}

leat_status leati_args_init(leati_args *out, const leat_operator *op, const leat_arg *args,
                            size_t count, leat_error *err) {
    memset(out, 0, sizeof *out);
    leat_status status = check(op, args, count, err);
    if (status < 0) return status;
    leati_arena_init(&out->arena);
    out->items = leati_arena_alloc(&out->arena, (count + 1) * sizeof *out->items);
    if (!out->items) status = LEAT_E_NOMEM;
    for (size_t i = 0; i < count && status >= 0; i++) {
        out->items[i] = args[i];
        status = copy_arg(&out->arena, op, &out->items[i]);
        out->count++;
    }
    if (status < 0) leat_error_set(err, status, op->name, "no memory for the arguments");
    if (status >= 0) status = check_together(out, op, err);
    if (status < 0) leati_args_fini(out, false);
    return status;
}

void leati_args_fini(leati_args *args, bool functions) {
    for (size_t i = 0; functions && i < args->count; i++) {
        const leat_arg *a = &args->items[i];
        if (a->kind == LEAT_PARAM_FUNCTION && !a->as.function->language && a->as.function->free)
            a->as.function->free(a->as.function->arg);
    }
    leati_arena_fini(&args->arena);
    memset(args, 0, sizeof *args);
}

/* --- filling a subtask's struct --------------------------------------------------------------- */

static leat_status decode_list(const leat_value *bytes, uint16_t domain, leati_arena *arena,
                               leat_value *out) {
    leati_reader in = leati_reader_of(bytes->as.bytes, bytes->size);
    uint32_t count = 0, room = 0;
    leat_value *items = NULL;
    leat_status status = LEAT_OK;
    while (leati_reader_left(&in) && status >= 0) {
        if (count == room) {
            leat_value *more = leati_arena_alloc(arena, (room + 16) * 2 * sizeof *more);
            if (!more) return LEAT_E_NOMEM;
            if (count) memcpy(more, items, count * sizeof *more);
            items = more;
            room = (room + 16) * 2;
        }
        status = leati_value_decode(&in, domain, arena, &items[count]);
        count++;
    }
    *out = leat_list(items, count);
    return status;
}

leat_status leati_args_fill(const leati_args *args, const leat_operator *op, void *self,
                            uint16_t domain, leati_arena *arena) {
    leat_status status = LEAT_OK;
    for (size_t i = 0; i < args->count && status >= 0; i++) {
        const leat_arg *a = &args->items[i];
        const leat_param *p = find_param(op, a->name);
        void *at = (char *)self + p->offset;
        switch (a->kind) {
        case LEAT_PARAM_INT: memcpy(at, &a->as.i, sizeof a->as.i); break;
        case LEAT_PARAM_DOUBLE: memcpy(at, &a->as.d, sizeof a->as.d); break;
        case LEAT_PARAM_STRING: memcpy(at, &a->as.string, sizeof a->as.string); break;
        case LEAT_PARAM_POINTER: memcpy(at, &a->as.pointer, sizeof a->as.pointer); break;
        case LEAT_PARAM_FUNCTION: memcpy(at, a->as.function, sizeof *a->as.function); break;
        case LEAT_PARAM_LIST: memcpy(at, a->as.value, sizeof *a->as.value); break;
        case LEAT_PARAM_BYTES:
            if (p->kind == LEAT_PARAM_LIST)
                status = decode_list(a->as.value, domain, arena, at);
            else
                memcpy(at, a->as.value, sizeof *a->as.value);
            break;
        }
    }
    return status;
}

/* --- what they say about placement ------------------------------------------------------------ */

bool leati_args_has_c_function(const leati_args *args) {
    for (size_t i = 0; i < args->count; i++)
        if (args->items[i].kind == LEAT_PARAM_FUNCTION && !args->items[i].as.function->language)
            return true;
    return false;
}

bool leati_args_host_bound(const leati_args *args) {
    for (size_t i = 0; i < args->count; i++)
        if (args->items[i].kind == LEAT_PARAM_POINTER) return true;
    return leati_args_has_c_function(args);
}

const char *leati_args_string(const leati_args *args, const char *name) {
    for (size_t i = 0; i < args->count; i++)
        if (args->items[i].kind == LEAT_PARAM_STRING && strcmp(args->items[i].name, name) == 0)
            return args->items[i].as.string;
    return NULL;
}

const char *leati_args_language(const leati_args *args) {
    for (size_t i = 0; i < args->count; i++) {
        const leat_arg *a = &args->items[i];
        if (a->kind == LEAT_PARAM_FUNCTION && !is_builtin(a->as.function) &&
            a->as.function->language)
            return a->as.function->language;
    }
    return NULL;
}

/* --- the wire --------------------------------------------------------------------------------- */

static void encode_text(leati_buf *out, const char *text) {
    leati_buf_blob(out, text, text ? strlen(text) : 0);
}

static void encode_arg(const leat_arg *a, leati_buf *out) {
    encode_text(out, a->name);
    leati_buf_u8(out, (uint8_t)a->kind);
    switch (a->kind) {
    case LEAT_PARAM_STRING:
        leati_buf_u8(out, a->as.string != NULL);
        encode_text(out, a->as.string);
        break;
    case LEAT_PARAM_BYTES:
    case LEAT_PARAM_LIST:
        if (leati_value_encode(a->as.value, NULL, out) < 0) out->failed = true;
        break;
    case LEAT_PARAM_FUNCTION:
        encode_text(out, a->as.function->name);
        encode_text(out, a->as.function->language);
        leati_buf_blob(out, a->as.function->spec, a->as.function->spec_size);
        break;
    default: leati_buf_u64(out, (uint64_t)a->as.i);
    }
}

/* What is bound to its process has no wire form, and stays out. */
static bool travels(const leat_arg *a) {
    if (a->kind == LEAT_PARAM_FUNCTION) return a->as.function->language != NULL;
    return a->kind != LEAT_PARAM_POINTER;
}

void leati_args_encode(const leati_args *args, leati_buf *out) {
    uint64_t count = 0;
    for (size_t i = 0; i < args->count; i++) count += travels(&args->items[i]);
    leati_buf_varint(out, count);
    for (size_t i = 0; i < args->count; i++)
        if (travels(&args->items[i])) encode_arg(&args->items[i], out);
}

static const char *decode_text(leati_arena *a, leati_reader *in) {
    size_t size;
    const char *bytes = leati_reader_blob(in, &size);
    return bytes ? copy_bytes(a, bytes, size) : NULL;
}

static leat_status decode_function(leati_arena *arena, const leat_param *p, leati_reader *in,
                                   leat_arg *a) {
    leat_function f = leat_function_of(p->role, NULL);
    f.name = decode_text(arena, in);
    f.language = decode_text(arena, in);
    f.spec = leati_reader_blob(in, &f.spec_size);
    if (in->failed) return LEAT_E_FORMAT;
    a->as.function = &f;
    return copy_function(arena, p, a);
}

static leat_status decode_content(leati_arena *arena, const leat_param *p, leati_reader *in,
                                  leat_arg *a) {
    leat_value v;
    leat_status status;
    switch (a->kind) {
    case LEAT_PARAM_STRING: {
        bool given = leati_reader_u8(in);
        const char *text = decode_text(arena, in);
        a->as.string = given ? text : NULL;
        return LEAT_OK;
    }
    case LEAT_PARAM_BYTES:
    case LEAT_PARAM_LIST:
        status = leati_value_decode(in, 0, arena, &v);
        a->as.value = &v;
        return status < 0 ? status : copy_value(arena, a);
    case LEAT_PARAM_FUNCTION: return decode_function(arena, p, in, a);
    default: a->as.i = (int64_t)leati_reader_u64(in); return LEAT_OK;
    }
}

static leat_status decode_arg(leati_arena *arena, const leat_operator *op, leati_reader *in,
                              leat_arg *a) {
    const char *name = decode_text(arena, in);
    const leat_param *p = name ? find_param(op, name) : NULL;
    if (!p) return LEAT_E_FORMAT;
    a->name = p->name;
    a->kind = (leat_param_kind)leati_reader_u8(in);
    if (!kind_fits(p, a) || a->kind == LEAT_PARAM_POINTER) return LEAT_E_FORMAT;
    return decode_content(arena, p, in, a);
}

leat_status leati_args_decode(leati_args *out, const leat_operator *op, leati_reader *in,
                              leat_error *err) {
    memset(out, 0, sizeof *out);
    uint64_t count = leati_reader_varint(in);
    leat_status status = in->failed || count > leati_reader_left(in) ? LEAT_E_FORMAT : LEAT_OK;
    if (status >= 0) out->items = leati_arena_alloc(&out->arena, (count + 1) * sizeof *out->items);
    if (status >= 0 && !out->items) status = LEAT_E_NOMEM;
    for (uint64_t i = 0; i < count && status >= 0; i++) {
        status = decode_arg(&out->arena, op, in, &out->items[out->count++]);
        if (in->failed) status = LEAT_E_FORMAT;
    }
    if (status >= 0) return LEAT_OK;
    leati_args_fini(out, false);
    return leat_error_set(err, status, op->name,
                          "the arguments in the job's description are damaged");
}
