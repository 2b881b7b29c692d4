import type { FastifyReply } from 'fastify';
import Type from 'typebox';
import { AppError } from '../../kernel/errors.ts';
import { sendFresh } from '../../kernel/http/fresh-answer.ts';
import type { Http } from '../../kernel/http/index.ts';
import { IfMatch, readIfMatch } from '../../kernel/http/preconditions.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { allow, identityOf } from '../accounts/index.ts';
import { CategoryChanges, CategoryInput } from './category-fields.ts';
import { changeCategory, replacementOf } from './change-category.ts';
import { createCategory } from './create-category.ts';
import { deleteCategory } from './delete-category.ts';
import { categoryNotFound } from './errors.ts';
import type { Catalogue } from './index.ts';
import { SlugOrId } from './schemas.ts';

/** What staff write of categories. */
export function registerCategoryRoutes(
  app: Http,
  catalogue: Catalogue,
  kernel: Pick<Kernel, 'db' | 'events' | 'clock'>,
): void {
  const tags = ['Catalogue'];
  const config = allow('staff', 'catalogue:write');

  /** As a GET has it: an active category without its inactive branches. */
  const answerCategory = async (reply: FastifyReply, id: string, status: 200 | 201 = 200) => {
    const found = await catalogue.category(id).catch((error: unknown) => {
      if (error instanceof AppError && error.code === categoryNotFound.code)
        return catalogue.category(id, { all: true });
      throw error;
    });
    if ('movedTo' in found) throw categoryNotFound('The category has been deleted in the meantime.');
    if (status === 201) reply.header('location', `/api/categories/${id}`);
    return sendFresh(reply, found.category, { status, version: found.category.version });
  };

  app.post(
    '/api/categories',
    {
      config,
      schema: {
        summary: 'Make a category',
        description: 'Without a slug one is made of its name. Without a position it becomes the last of its siblings.',
        tags,
        body: CategoryInput,
        response: { 201: Type.Ref('Category') },
      },
    },
    async (request, reply) => {
      const id = await createCategory(kernel, request.body, identityOf(request).userId);
      return answerCategory(reply, id, 201);
    },
  );

  const conditional = 'With If-Match only that version is changed.';

  app.put(
    '/api/categories/:key',
    {
      config,
      schema: {
        summary: 'Replace a category',
        description: `What is left out gets its default, but for slug and position, which stay. ${conditional}`,
        tags,
        params: SlugOrId,
        headers: IfMatch,
        body: CategoryInput,
        response: { 200: Type.Ref('Category') },
      },
    },
    async (request, reply) => {
      const { userId: actorId } = identityOf(request);
      const expected = readIfMatch(request.headers['if-match']);
      const changes = replacementOf(request.body);
      return answerCategory(reply, await changeCategory(kernel, request.params.key, changes, { expected, actorId }));
    },
  );

  app.patch(
    '/api/categories/:key',
    {
      config,
      schema: {
        summary: 'Change fields of a category',
        description: `A new name or parent is what its products are found by at once. ${conditional}`,
        tags,
        params: SlugOrId,
        headers: IfMatch,
        body: CategoryChanges,
        response: { 200: Type.Ref('Category') },
      },
    },
    async (request, reply) => {
      const { userId: actorId } = identityOf(request);
      const expected = readIfMatch(request.headers['if-match']);
      return answerCategory(
        reply,
        await changeCategory(kernel, request.params.key, request.body, { expected, actorId }),
      );
    },
  );

  app.delete(
    '/api/categories/:key',
    {
      config,
      schema: {
        summary: 'Delete an empty category',
        description: `Neither a category nor a product, archived ones included, may stand in it. ${conditional}`,
        tags,
        params: SlugOrId,
        headers: IfMatch,
        response: { 204: Type.Null({ description: 'It is gone.' }) },
      },
    },
    async (request, reply) => {
      const { userId: actorId } = identityOf(request);
      const expected = readIfMatch(request.headers['if-match']);
      await deleteCategory(kernel, request.params.key, { expected, actorId });
      return reply.code(204).header('cache-control', 'no-store').send(null);
    },
  );
}
